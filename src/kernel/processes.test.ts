import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endProcesses, hostProcesses } from './processes.ts';

test('shows arguments and working directory of a process', () => {
  const own = hostProcesses().find(({ pid }) => pid === process.pid);
  assert.equal(own?.cwd, process.cwd());
  assert.ok(own?.args.some((arg) => arg.includes('processes.test')));
});

test('ends the processes that are picked, and what they fork', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'gantry-processes-'));
  try {
    const script = 'while :; do sleep 1000 & sleep 1000 & wait; done';
    const shells = [1, 2].map(() => spawn('sh', ['-c', script], { cwd, stdio: 'ignore' }));
    const ends = shells.map((shell) => once(shell, 'exit'));
    const ours = () => hostProcesses().filter((it) => it.cwd === cwd && it.args.length > 0);
    while (ours().length < 6) await new Promise((resolve) => setTimeout(resolve, 10));
    await endProcesses((it) => it.cwd === cwd);
    assert.deepEqual(ours(), []);
    assert.deepEqual(
      (await Promise.all(ends)).map(([, signal]) => signal as unknown),
      ['SIGKILL', 'SIGKILL'],
    );
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test('nothing to end is fine', () => endProcesses(() => false));
