import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatsMessage } from '../../client/types.ts';
import { printRows } from './print-rows.ts';
import { cpuPercent, STATS_TABLE, statsRow, usedMemory } from './stats-row.ts';

const MB = 1 << 20;
const message = (over: Partial<StatsMessage> = {}): StatsMessage => ({
  id: 'd8856b86ff66967f3a8e0e9e38ebc40d6b4302268f555549ad91b348f3c335f9',
  name: '/web',
  cpu_stats: { cpu_usage: { total_usage: 3e9 }, system_cpu_usage: 22e9, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 2e9 }, system_cpu_usage: 20e9 },
  memory_stats: { usage: 20 * MB, limit: 64 * MB, stats: { total_inactive_file: 4 * MB } },
  pids_stats: { current: 3 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 1000 },
      { op: 'read', value: 500 },
      { op: 'write', value: 2000 },
      { op: 'total', value: 9000 },
    ],
  },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 10 }, eth1: { rx_bytes: 30, tx_bytes: 1 } },
  ...over,
});

test('one busy processor of two is a hundred percent', () => {
  assert.equal(cpuPercent(message()), 100);
  assert.equal(cpuPercent(message({ precpu_stats: message().cpu_stats })), 0);
  assert.equal(cpuPercent(message({ precpu_stats: { cpu_usage: { total_usage: 9e9 }, system_cpu_usage: 20e9 } })), 0);
});

test('without the number of processors those that are counted apart are taken', () => {
  const counted = { cpu_usage: { total_usage: 3e9, percpu_usage: [1, 2, 3, 4] }, system_cpu_usage: 24e9 };
  assert.equal(cpuPercent(message({ cpu_stats: counted })), 100);
});

test('the cache that can be dropped is nobody’s, by either version’s name', () => {
  assert.equal(usedMemory(message()), 16 * MB);
  assert.equal(usedMemory(message({ memory_stats: { usage: 5, stats: { inactive_file: 2 } } })), 3);
  assert.equal(usedMemory(message({ memory_stats: { usage: 5, stats: { inactive_file: 7 } } })), 5);
  assert.equal(usedMemory(message({ memory_stats: {} })), 0);
});

test('a line of figures, and dashes where nothing is known', () => {
  const rows = [
    { container: 'web', stats: message() },
    { container: 'gone', stats: undefined },
  ];
  assert.deepEqual(printRows(statsRow(true), rows, '', STATS_TABLE).split('\n'), [
    'CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O        BLOCK I/O     PIDS',
    'd8856b86ff66   web       100.00%   16MiB / 64MiB       25.00%    1.03kB / 11B   1.5kB / 2kB   3',
    '--             --        --        -- / --             --        --             --            --',
    '',
  ]);
});
