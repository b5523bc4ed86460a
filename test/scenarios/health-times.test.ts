import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import type { Target } from '../support/target.ts';

interface Health {
  Status: string;
  FailingStreak: number;
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

const MS = 1_000_000;
const SLEEP = 'exec sleep 1000';

/** A check of its own every fifth of a second, in the start period of an engine that knows of another interval there as well. */
const check = (script: string, over: object = {}): object => ({
  Healthcheck: { Test: ['CMD-SHELL', script], Interval: 200 * MS, StartInterval: 200 * MS, ...over },
});

const healthOf = async (c: Made): Promise<Health> =>
  ((await c.inspect()) as Inspected & { State: { Health: Health } }).State.Health;

const becomes = (c: Made, status: string): Promise<Health> =>
  eventually(`health ${status}`, async () => {
    const health = await healthOf(c);
    return health.Status === status && health;
  });

/** How many probes had ended when the health became something. */
async function probesBefore(target: Target, c: Made, status: string): Promise<number> {
  const actions = await actionsOf(target, c.id);
  const at = actions.indexOf(`health_status: ${status}`);
  assert.ok(at >= 0, actions.join());
  return actions.slice(0, at).filter((action) => action === 'exec_die').length;
}

onBoth('times of health checks', {
  'so many failures in a row make a container unhealthy: three, if it is not said': async (target) => {
    const counts = async (Retries: number | undefined, expected: number): Promise<void> => {
      await using c = await run(target, SLEEP, check('exit 2', { Retries }));
      const { FailingStreak, Log } = await becomes(c, 'unhealthy');
      assert.ok(FailingStreak >= expected && Log[0]?.ExitCode === 2);
      assert.equal(await probesBefore(target, c, 'unhealthy'), expected);
    };
    await Promise.all([counts(undefined, 3), counts(0, 3), counts(1, 1), counts(4, 4)]);
  },

  'a success in between begins the count anew': async (target) => {
    const everyThird = 'echo x >>/n; [ $(($(wc -l </n) % 3)) -eq 0 ]';
    await using c = await run(target, SLEEP, check(everyThird, { Retries: 3 }));
    await becomes(c, 'healthy');
    await eventually('another round', async () => {
      const actions = await actionsOf(target, c.id);
      return actions.filter((action) => action === 'exec_die').length >= 6;
    });
    assert.equal((await healthOf(c)).Status, 'healthy');
  },

  'failures count once the start period is over': async (target) => {
    await using c = await run(target, SLEEP, check('exit 1', { StartPeriod: 1_000 * MS, Retries: 2 }));
    const started = Date.parse((await c.inspect()).State.StartedAt);
    const { Log, FailingStreak } = await becomes(c, 'unhealthy');
    assert.ok(Date.parse(Log.at(-1)?.End ?? '') - started >= 1_000, 'not before');
    assert.ok(FailingStreak >= 2 && (await probesBefore(target, c, 'unhealthy')) > 3);
  },

  'in the start period they count as soon as it was healthy': async (target) => {
    const once = '[ -e /bad ] && exit 1; touch /bad';
    await using c = await run(target, SLEEP, check(once, { StartPeriod: 600_000 * MS, Retries: 2 }));
    await becomes(c, 'unhealthy');
    const actions = (await actionsOf(target, c.id)).filter((action) => action.startsWith('health_status'));
    assert.deepEqual(actions, ['health_status: healthy', 'health_status: unhealthy']);
    assert.equal(await probesBefore(target, c, 'healthy'), 1);
    assert.equal(await probesBefore(target, c, 'unhealthy'), 3);
  },

  'the first probe comes after an interval, and so does each after the end of the one before': async (target) => {
    await using c = await run(target, SLEEP, check('sleep 0.3', { Interval: 500 * MS, StartInterval: 500 * MS }));
    const started = Date.parse((await c.inspect()).State.StartedAt);
    await sleep(200);
    assert.deepEqual((await healthOf(c)).Log, []);
    const { Log } = await eventually('two results', async () => {
      const health = await healthOf(c);
      return health.Log.length >= 2 && health;
    });
    const [first, second] = Log;
    assert.ok(first && second);
    assert.ok(Date.parse(first.Start) - started >= 490, first.Start);
    assert.ok(Date.parse(second.Start) - Date.parse(first.End) >= 490, `${first.End} ${second.Start}`);
  },

  'the shortest times there are': async (target) => {
    await using c = await run(target, SLEEP, check('exec sleep 1000', { Interval: MS, Timeout: MS, Retries: 1 }));
    const { Log } = await becomes(c, 'unhealthy');
    assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [-1, 'Health check exceeded timeout (1ms)']);
    assert.equal((await target.api('POST', `${c.path}/stop?t=0`)).status, 204, 'it can be stopped all the same');
  },

  'the longest: nothing is probed, and nothing is refused': async (target) => {
    const longest = Number.MAX_SAFE_INTEGER;
    const spans = { Interval: longest, Timeout: longest, StartPeriod: longest, StartInterval: longest };
    await using c = await run(target, SLEEP, check('exit 1', { ...spans, Retries: 2_000_000_000 }));
    await sleep(300);
    const { Status, Log } = await healthOf(c);
    assert.deepEqual([Status, Log], ['starting', []]);
  },

  'what is no time and no number of retries is refused': async (target) => {
    const cases: [over: object, message: string][] = [];
    for (const field of ['Interval', 'Timeout', 'StartPeriod']) {
      const message = `${field} in Healthcheck cannot be less than 1ms`;
      for (const value of [1, -1, MS - 1, -MS]) cases.push([{ [field]: value }, message]);
    }
    cases.push([{ Retries: -1 }, 'Retries in Healthcheck cannot be negative']);
    for (const [over, message] of cases) {
      const Healthcheck = { Test: ['CMD', 'true'], ...over };
      const reply = await target.api('POST', '/containers/create', { Image: 'busybox', Healthcheck });
      assert.deepEqual([reply.status, reply.json<{ message: string }>().message], [400, message], JSON.stringify(over));
    }
    for (const over of [{ Interval: 1.5 * MS + 0.5 }, { Retries: 1.5 }, { Retries: '3' }]) {
      const Healthcheck = { Test: ['CMD', 'true'], ...over };
      const reply = await target.api('POST', '/containers/create', { Image: 'busybox', Healthcheck });
      // A mistake of the caller is no failure of the engine, as it is for dockerd 20.10.
      assert.equal(reply.status, target.name === 'dockerd' ? 500 : 400, JSON.stringify(over));
    }
  },

  'what was asked for is shown, and nothing is filled in': async (target) => {
    for (const over of [{}, { Interval: MS }, { Timeout: 5_000 * MS, Retries: 7, StartPeriod: 90_000 * MS }]) {
      const Healthcheck = { Test: ['CMD', 'true'], ...over };
      await using c = await create(target, 'true', { Healthcheck });
      assert.deepEqual((await c.inspect()).Config['Healthcheck'], Healthcheck);
    }
  },
});
