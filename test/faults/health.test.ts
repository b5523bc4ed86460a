import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

type Seen = Inspected & {
  RestartCount: number;
  State: { Health: { Status: string; Log: { ExitCode: number; Output: string; Start: string }[] } };
};

const SLEEP = 'exec sleep 1000';
const look = async (c: Made): Promise<Seen> => (await c.inspect()) as Seen;
const healthOf = async (c: Made) => (await look(c)).State.Health;
const checked = (script: string, over: object = {}): object => ({
  Healthcheck: { Test: ['CMD-SHELL', script], Interval: 2e8, Retries: 1, ...over },
});
const becomes = (c: Made, status: string): Promise<unknown> =>
  eventually(`health ${status}`, async () => (await healthOf(c)).Status === status);

/** Processes of the host that were called with these words. */
async function called(words: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line === `${words.replaceAll(' ', '\0')}\0`).length;
}

describe('health checks on bad days', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  test('a daemon that is killed during a probe leaves no probe behind, and the next one goes on', async () => {
    await using c = await run(engine, SLEEP, checked('[ -e /slow ] && sleep 98761; exit 0'));
    await becomes(c, 'healthy');
    assert.equal((await engine.docker(['exec', c.id, 'touch', '/slow'])).code, 0);
    await eventually('a probe that hangs', async () => (await called('sleep 98761')) === 1);
    await engine.crash();
    await engine.start();
    const { Status, Log } = await healthOf(c);
    assert.deepEqual([Status, Log.length > 0], ['healthy', true], 'what was known is kept');
    assert.equal((await engine.docker(['exec', c.id, 'rm', '/slow'])).code, 0);
    await eventually('no probe of the old daemon', async () => (await called('sleep 98761')) === 0);
    const last = (await healthOf(c)).Log.at(-1)?.Start;
    await eventually('another answer', async () => {
      const newest = (await healthOf(c)).Log.at(-1);
      return newest?.ExitCode === 0 && newest.Start !== last;
    });
  });

  test('a probe that forks and never ends is ended with its children', async () => {
    await using c = await run(engine, SLEEP, checked('sleep 98762 & sleep 98762', { Timeout: 3e8 }));
    await eventually('two verdicts', async () => (await healthOf(c)).Log.length >= 2);
    await eventually('none but those of a probe that goes on', async () => (await called('sleep 98762')) <= 2);
  });

  test('a probe that prints a gigabyte costs no memory', async () => {
    const rss = async (): Promise<number> =>
      Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${engine.pid()}/status`, 'utf8'))?.[1]);
    const earlier = await rss();
    const gigabyte = 'dd if=/dev/zero bs=1M count=1024 2>/dev/null | tr "\\0" x';
    await using c = await run(engine, SLEEP, checked(gigabyte, { Timeout: 6e10 }));
    await becomes(c, 'healthy');
    assert.equal((await healthOf(c)).Log[0]?.Output.length, 4099);
    assert.ok((await rss()) - earlier < 150_000, 'kilobytes more than before');
  });

  test('autoheal: an unhealthy container is restarted, and goes on being so', async () => {
    const script = `trap 'exit 9' TERM; while :; do sleep 0.1; done`;
    await using c = await run(engine, script, { Labels: { autoheal: 'true' }, ...checked('exit 1') });
    await eventually('three restarts', async () => (await look(c)).RestartCount >= 3);
    assert.equal((await engine.api('POST', `${c.path}/stop`)).status, 204);
    const { State } = await look(c);
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 9]);
    const actions = (await actionsOf(engine, c.id)).filter((action) => !action.startsWith('exec_'));
    const at = actions.indexOf('health_status: unhealthy');
    assert.deepEqual(actions.slice(at, at + 4), ['health_status: unhealthy', 'kill', 'die', 'start']);
  });

  test('autoheal and --rm: whoever gives the restart up, it is removed, and no sooner', async () => {
    const script = `trap 'exit 9' TERM; while :; do sleep 0.1; done`;
    const body = { Labels: { autoheal: 'true' }, HostConfig: { AutoRemove: true }, ...checked('exit 1') };
    for (const call of ['stop', 'kill']) {
      await using c = await run(engine, script, body);
      await eventually('a wait of some length', async () => {
        const { RestartCount, State } = await look(c);
        return RestartCount >= 4 && State.Status === 'restarting';
      });
      assert.equal((await engine.api('POST', `${c.path}/${call}`)).status, 204);
      await eventually('it is gone', async () => (await engine.api('GET', `${c.path}/json`)).status === 404);
      const actions = (await actionsOf(engine, c.id)).filter((action) => !action.startsWith('exec_'));
      assert.deepEqual(actions.slice(-2), call === 'stop' ? ['stop', 'destroy'] : ['die', 'destroy']);
    }
  });

  test('without the label an unhealthy container is left alone', async () => {
    await using c = await run(engine, SLEEP, checked('exit 1'));
    await becomes(c, 'unhealthy');
    await eventually('some more verdicts', async () => (await healthOf(c)).Log.length >= 3);
    const { State, RestartCount } = await look(c);
    assert.deepEqual([State.Status, RestartCount], ['running', 0]);
  });
});
