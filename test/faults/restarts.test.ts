import assert from 'node:assert/strict';
import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create, eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { command } from '../support/target.ts';

type Seen = Inspected & { RestartCount: number };

const look = async (c: Made): Promise<Seen> => (await c.inspect()) as Seen;
const policy = (Name: string, MaximumRetryCount = 0): object => ({
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});
const statusOf = async (c: Made): Promise<string> => (await look(c)).State.Status;
const reaches = (c: Made, status: string): Promise<unknown> =>
  eventually(`status ${status}`, async () => (await statusOf(c)) === status);

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

describe('restart policies and daemons that go', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  for (const how of ['crash', 'terminate'] as const) {
    test(`no restart is forgotten when a daemon ends during the wait: ${how}`, async () => {
      await using c = await run(engine, 'exit 3', policy('on-failure'));
      const { RestartCount } = await eventually('a long wait', async () => {
        const seen = await look(c);
        return seen.RestartCount >= 4 && seen.State.Status === 'restarting' && seen;
      });
      await engine[how]();
      await engine.start();
      await eventually('one more restart', async () => (await look(c)).RestartCount > RestartCount);
    });
  }

  test('a container that has the engine’s socket comes up when it is there, not in place of it', async () => {
    const HostConfig = { RestartPolicy: { Name: 'always' }, Binds: [`${engine.socket}:/engine.sock`] };
    await using c = await run(engine, 'test -S /engine.sock && exec sleep 1000', { HostConfig });
    assert.equal((await engine.api('POST', `${c.path}/stop?t=0`)).status, 204);
    for (const how of ['terminate', 'crash'] as const) {
      await engine[how]();
      await rm(engine.socket, { force: true });
      await engine.start();
      await reaches(c, 'running');
      assert.ok((await lstat(engine.socket)).isSocket());
      assert.equal((await look(c)).RestartCount, 0);
      await engine.api('POST', `${c.path}/stop?t=0`);
    }
  });

  test('what comes up with the engine, and what was stopped by hand and does not', async () => {
    await using always = await run(engine, 'exec sleep 1000', policy('always'));
    await using stopped = await run(engine, 'exec sleep 1000', policy('unless-stopped'));
    await using kept = await run(engine, 'exec sleep 1000', policy('unless-stopped'));
    await using failed = await run(engine, 'exec sleep 1000', policy('on-failure'));
    await using plain = await run(engine, 'exec sleep 1000');
    for (const { path } of [always, stopped, failed, plain]) {
      assert.equal((await engine.api('POST', `${path}/stop?t=0`)).status, 204);
    }
    const { Pid } = (await look(kept)).State;
    await engine.terminate();
    await engine.start();
    await reaches(always, 'running');
    assert.equal((await look(kept)).State.Pid, Pid, 'what ran was left alone');
    for (const c of [stopped, failed, plain]) assert.equal(await statusOf(c), 'exited');
  });

  test('what ended while no daemon looked is started again by its policy', async () => {
    await using c = await run(engine, 'exec sleep 1000', policy('unless-stopped'));
    const { Pid } = (await look(c)).State;
    await engine.crash();
    process.kill(Pid, 'SIGKILL');
    await engine.start();
    await eventually('another process', async () => {
      const { State } = await look(c);
      return State.Status === 'running' && State.Pid !== Pid;
    });
  });

  test('after a boot of the host, which ends every process and empties /run, what is to run runs', async () => {
    await using always = await run(engine, 'echo up; exec sleep 1000', policy('always'));
    await using failed = await run(engine, 'echo up; exec sleep 1000', policy('on-failure'));
    await using stopped = await run(engine, 'exec sleep 1000', policy('unless-stopped'));
    await using plain = await run(engine, 'exec sleep 1000');
    assert.equal((await engine.api('POST', `${stopped.path}/stop?t=0`)).status, 204);
    const pids = await Promise.all([always, failed, plain].map(async (c) => (await look(c)).State.Pid));
    const shims = await Promise.all(pids.map(parentOf));
    await engine.crash();
    for (const pid of [...new Set(shims), ...pids]) process.kill(pid, 'SIGKILL');
    for (const c of [always, failed, plain]) {
      await command('umount', ['-l', join(engine.execRoot, 'bundles', c.id, 'rootfs')]);
      await rm(join(engine.execRoot, 'bundles', c.id), { recursive: true });
    }
    for (const dir of ['execs', 'runtimes']) await rm(join(engine.execRoot, dir), { recursive: true });
    await engine.start();
    await reaches(always, 'running');
    await reaches(failed, 'running');
    for (const c of [stopped, plain]) assert.equal(await statusOf(c), 'exited');
    assert.equal((await look(plain)).State.ExitCode, 255);
  });

  test('what joins another comes up after it, whichever was made first', async () => {
    const sharing = { IpcMode: 'shareable', RestartPolicy: { Name: 'always' } };
    const joining = (id: string): object => ({
      HostConfig: {
        IpcMode: `container:${id}`,
        PidMode: `container:${id}`,
        NetworkMode: 'container:donor',
        RestartPolicy: { Name: 'unless-stopped' },
      },
    });
    await using first = await run(engine, 'exec sleep 1000', { HostConfig: sharing });
    await using joined = await create(engine, 'exec sleep 1000', joining(first.id));
    await using donor = await run(engine, 'exec sleep 1000', { HostConfig: sharing });
    await engine.api('POST', `${donor.path}/rename?name=donor`);
    await joined.start();
    const pids = await Promise.all([first, donor, joined].map(async (c) => (await look(c)).State.Pid));
    await engine.crash();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await engine.start();
    for (const c of [joined, first, donor]) await reaches(c, 'running');
    const { stdout } = await engine.docker(['exec', joined.id, 'ps']);
    assert.match(stdout, /^ +1 root.*sleep 1000$/mu, 'it sees the first process of the one it joined');
    // Both end, and wait for their restarts at the same time.
    process.kill((await look(first)).State.Pid, 'SIGKILL');
    await eventually('both are restarted', async () => {
      const seen = await Promise.all([first, joined].map(look));
      return seen.every(({ RestartCount, State }) => RestartCount > 0 && State.Status === 'running');
    });
  });

  test('two that join each other’s network do not wait for ever, and say why they are down', async () => {
    const joining = (name: string): object => ({
      HostConfig: { NetworkMode: `container:${name}`, RestartPolicy: { Name: 'always' } },
    });
    const named = async (c: Made, name: string): Promise<void> =>
      assert.equal((await engine.api('POST', `${c.path}/rename?name=${name}`)).status, 204);
    await using first = await create(engine, 'exec sleep 1000', joining('second'));
    await using owner = await run(engine, 'exec sleep 1000');
    await named(owner, 'second');
    await first.start();
    await named(owner, 'owner');
    await using second = await run(engine, 'exec sleep 1000', joining(first.id));
    await named(second, 'second');
    const pids = await Promise.all([first, second].map(async (c) => (await look(c)).State.Pid));
    await engine.crash();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await engine.start();
    for (const [c, other] of [
      [first, second],
      [second, first],
    ] as const) {
      await reaches(c, 'exited');
      const error = `cannot join network of a non running container: ${other.id}`;
      assert.equal((await look(c)).State.Error, error);
      const byHand = await engine.api('POST', `${c.path}/start`);
      assert.deepEqual([byHand.status, byHand.json<{ message: string }>().message], [409, error]);
    }
  });

  test('a shim that is killed costs its containers one restart', async () => {
    await using c = await run(engine, 'exec sleep 1000', policy('always'));
    const { Pid } = (await look(c)).State;
    process.kill(await parentOf(Pid), 'SIGKILL');
    const again = await eventually('another process', async () => {
      const seen = await look(c);
      return seen.State.Status === 'running' && seen.State.Pid !== Pid && seen;
    });
    assert.equal(again.RestartCount, 1);
    await eventually('the old process is gone', () =>
      readFile(`/proc/${Pid}/stat`).then(
        () => false,
        () => true,
      ),
    );
  });

  test('twenty crash loops do not disturb a neighbour, and their logs are whole', async () => {
    await using stack = new AsyncDisposableStack();
    const loops = await Promise.all(
      Array.from({ length: 20 }, async () => stack.use(await run(engine, 'echo one line; exit 1', policy('always')))),
    );
    await using other = await run(engine, 'echo calm; exit 5');
    assert.equal(await other.wait(), 5);
    for (const c of loops) await eventually('some restarts', async () => (await look(c)).RestartCount >= 3);
    for (const c of loops) {
      assert.equal((await engine.api('POST', `${c.path}/stop`)).status, 204);
      const { RestartCount } = await look(c);
      const { stdout } = await engine.docker(['logs', c.id]);
      // The stop may have come before the last restart, which has been counted by then.
      const whole = [RestartCount, RestartCount + 1].map((runs) => 'one line\n'.repeat(runs));
      assert.ok(whole.includes(stdout), `${RestartCount} restarts: ${stdout}`);
    }
  });
});
