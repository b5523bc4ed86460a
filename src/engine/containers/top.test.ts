import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectProcesses } from './top.ts';

const output = `UID          PID    PPID  C STIME TTY          TIME CMD
root           1       0  0 10:00 ?        00:00:01 /sbin/init  splash
root          42       1  0 10:00 ?        00:00:00 sh -c sleep  1
`;

test('only the wanted processes, the command in one column', () => {
  assert.deepEqual(selectProcesses(output, new Set([42])), {
    titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    processes: [['root', '42', '1', '0', '10:00', '?', '00:00:00', 'sh -c sleep 1']],
  });
});

test('without a PID column nothing can be told', () => {
  assert.throws(() => selectProcesses('CMD\nsh\n', new Set([1])), /Couldn't find PID field in ps output/);
});
