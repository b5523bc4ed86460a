import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IoPaths } from '../stdio/io-pool.ts';
import { entries, openTestHost, processesWith, skipContainers, type TestContainer } from './test-host.ts';

const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');

/** What runs while the daemon dies, with all it prints and its exit code. */
const CONTAINERS: Record<string, { args: string[]; output: string; status: number }> = {
  // More than fits into a pipe: blocks until somebody reads again.
  long: { args: ['sh', '-c', 'seq 1 400000; exit 3'], output: lines(400000), status: 3 },
  // Prints before, during and after.
  slow: {
    args: ['sh', '-c', 'for i in $(seq 1 30); do echo $i; sleep 0.1; done; exit 4'],
    output: lines(30),
    status: 4,
  },
  // Ends while there is no daemon, its output still in the pipe.
  brief: { args: ['sh', '-c', 'sleep 0.7; seq 1 5000; exit 5'], output: lines(5000), status: 5 },
  // Killed by the host while there is no daemon.
  killed: { args: ['sh', '-c', 'echo 1; sleep 100'], output: lines(1), status: 137 },
};

async function killDaemonAtWork(dir: string): Promise<Record<string, { shim: string; pid: number; paths: IoPaths }>> {
  const commands = Object.fromEntries(Object.entries(CONTAINERS).map(([id, { args }]) => [id, args]));
  const script = join(import.meta.dirname, 'test-daemon.ts');
  const daemon = spawn(process.execPath, [script, dir, JSON.stringify(commands)], { stdio: 'inherit' });
  const exited = once(daemon, 'exit');
  while (!existsSync(join(dir, 'started.json'))) {
    assert.equal(daemon.exitCode, null);
    await sleep(5);
  }
  daemon.kill('SIGKILL');
  await exited;
  return JSON.parse(readFileSync(join(dir, 'started.json'), 'utf8')) as Awaited<ReturnType<typeof killDaemonAtWork>>;
}

test('containers outlive a killed daemon; every byte comes once, every exit code is right', {
  skip: skipContainers,
}, async () => {
  const first = await openTestHost({ size: 1 });
  await first.shims.shutdownIdle();
  await first.shims[Symbol.asyncDispose]();
  await first.io[Symbol.asyncDispose]();
  const { dir } = first;

  const started = await killDaemonAtWork(dir);
  await sleep(1400);
  const killed = started['killed']?.pid ?? 0;
  // The shell is replaced by its last command once it has printed.
  while (readFileSync(`/proc/${killed}/cmdline`, 'latin1') !== 'sleep\x00100\x00') await sleep(20);
  process.kill(killed, 'SIGKILL');
  await sleep(100);
  assert.equal((await processesWith(`${dir}/shim-events.sock`)).length, 2, 'the shims live');

  await using host = await openTestHost({ dir, size: 2 });
  await host.io.sweep(new Set(Object.values(started).flatMap(({ paths }) => Object.values(paths))));
  assert.equal(await host.shims.adopt('never-existed', started['long']?.shim ?? ''), undefined);
  assert.equal(await host.shims.adopt('long', 'unix:///nowhere'), undefined);
  for (const [id, { shim, pid, paths }] of Object.entries(started)) {
    // With an empty address the pool finds it by itself.
    const task = await host.shims.adopt(id, id === 'slow' ? '' : shim);
    assert.ok(task, id);
    assert.equal(task.shim, shim);
    assert.equal(task.pid, pid);
    const container: TestContainer = { id, task, pipes: await host.io.reopen(paths), stdout: [], stderr: [] };
    container.pipes.stdout.onData((chunk) => appendFileSync(join(dir, `log-${id}`), chunk));
    const exit = await task.wait();
    assert.equal(exit.status, CONTAINERS[id]?.status, `exit code of ${id}`);
    assert.equal((await task.wait()).at, exit.at);
    await host.remove(container);
    assert.equal(readFileSync(join(dir, `log-${id}`), 'utf8'), CONTAINERS[id]?.output, `output of ${id}`);
  }
  assert.deepEqual(await entries(join(dir, 'bundles')), []);
  assert.equal((await entries(join(dir, 'shims'))).length, 2, 'shims were adopted, not started anew');
});
