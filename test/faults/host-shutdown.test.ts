import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, type Made, run } from '../support/containers.ts';
import { startGantry } from '../support/gantry.ts';

/** A `systemctl` that says what is in the file beside it. */
async function fakeSystemd(): Promise<{ dir: string; says(state: string): Promise<void> } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-systemd-'));
  await writeFile(join(dir, 'systemctl'), `#!/bin/sh\ncat ${dir}/state\n`, { mode: 0o755 });
  return {
    dir,
    says: (state) => writeFile(join(dir, 'state'), `${state}\n`),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

const state = async (c: Made) => (await c.inspect()).State;

test('when the host goes down containers end by their signals, and come back by their policies', async () => {
  await using systemd = await fakeSystemd();
  await systemd.says('running');
  const env = { ...process.env, PATH: `${systemd.dir}${delimiter}${process.env['PATH']}` };
  await using engine = await startGantry(['--shutdown-timeout', '2'], { env });
  await importBusybox(engine);
  const traps = 'trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done';
  const deaf = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';
  const restarting = { HostConfig: { RestartPolicy: { Name: 'unless-stopped' } } };
  await using kept = await run(engine, traps, { StopSignal: 'SIGUSR1', ...restarting });
  await using plain = await run(engine, traps, { StopSignal: 'SIGUSR1' });
  await using slow = await run(engine, deaf, { StopTimeout: 600 });
  for (const c of [kept, plain, slow]) {
    await eventually('it is ready', async () => (await engine.docker(['logs', c.id])).stdout.includes('ready'));
  }
  const pid = (await state(kept)).Pid;
  await engine.terminate();
  await engine.start();
  assert.equal((await state(kept)).Pid, pid, 'an engine that ends alone leaves them running');

  await systemd.says('stopping');
  await engine.terminate();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  await systemd.says('running');
  await engine.start();
  const again = await eventually('it is up again', async () => {
    const seen = await state(kept);
    return seen.Status === 'running' && seen;
  });
  assert.notEqual(again.Pid, pid);
  const [one, two] = [await state(plain), await state(slow)];
  assert.deepEqual([one.Status, one.ExitCode], ['exited', 5], 'its own signal ended it, and its code is known');
  assert.deepEqual([two.Status, two.ExitCode], ['exited', 137], 'there was no more time');
});
