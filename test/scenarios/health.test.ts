import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { busyboxArchive } from '../support/busybox-archive.ts';
import { create, eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import type { Target } from '../support/target.ts';

interface Health {
  Status: string;
  FailingStreak: number;
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

const healthOf = async (c: Made): Promise<Health | undefined> =>
  ((await c.inspect()) as Inspected & { State: { Health?: Health } }).State.Health;

/** Spans in milliseconds. */
function check(test: string | readonly string[], over: Record<string, number> = {}): object {
  const { Retries = 2, ...spans } = { Interval: 200, ...over };
  const nanos = Object.fromEntries(Object.entries(spans).map(([name, ms]) => [name, ms * 1e6]));
  return { Healthcheck: { Test: typeof test === 'string' ? ['CMD-SHELL', test] : test, Retries, ...nanos } };
}

const SLEEP = 'exec sleep 1000';

const becomes = (c: Made, status: string): Promise<Health> =>
  eventually(`health ${status}`, async () => {
    const health = await healthOf(c);
    return health?.Status === status && health;
  });

/** Waits for a result in the log. */
const logged = (c: Made, count = 1): Promise<Health> =>
  eventually(`${count} results`, async () => {
    const health = await healthOf(c);
    return health !== undefined && health.Log.length >= count && health;
  });

async function psStatus(target: Target, { id }: Made): Promise<string> {
  const { stdout } = await target.docker(['ps', '-a', '--filter', `id=${id}`, '--format', '{{.Status}}']);
  return stdout.trim();
}

async function found(target: Target, c: Made, health: string): Promise<boolean> {
  const filters = encodeURIComponent(JSON.stringify({ health: [health] }));
  const list = (await target.api('GET', `/containers/json?all=1&filters=${filters}`)).json<{ Id: string }[]>();
  return list.some(({ Id }) => Id === c.id);
}

onBoth('health checks', {
  'from starting to healthy to unhealthy and back, with an event at each change': async (target) => {
    await using c = await run(target, `touch /ok; ${SLEEP}`, check('echo said; test -e /ok', { Interval: 1000 }));
    const first = await healthOf(c);
    assert.deepEqual([first?.Status, first?.FailingStreak, first?.Log], ['starting', 0, []]);
    assert.match(await psStatus(target, c), /^Up .* \(health: starting\)$/);
    const { Log } = await becomes(c, 'healthy');
    assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [0, 'said\n']);
    assert.match(await psStatus(target, c), /^Up .* \(healthy\)$/);
    assert.deepEqual([await found(target, c, 'healthy'), await found(target, c, 'none')], [true, false]);
    assert.equal((await target.docker(['exec', c.id, 'rm', '/ok'])).code, 0);
    const bad = await becomes(c, 'unhealthy');
    assert.ok(bad.FailingStreak >= 2);
    assert.match(await psStatus(target, c), /^Up .* \(unhealthy\)$/);
    assert.equal((await target.docker(['exec', c.id, 'touch', '/ok'])).code, 0);
    assert.equal((await becomes(c, 'healthy')).FailingStreak, 0);
    const actions = await actionsOf(target, c.id);
    assert.deepEqual(
      actions.filter((action) => action.startsWith('health_status')),
      ['health_status: healthy', 'health_status: unhealthy', 'health_status: healthy'],
    );
    const from = actions.findIndex((action) => action.startsWith('exec_create'));
    assert.deepEqual(actions.slice(from, from + 3), [
      'exec_create: /bin/sh -c echo said; test -e /ok',
      'exec_start: /bin/sh -c echo said; test -e /ok',
      'exec_die',
    ]);
  },
  'a probe that takes too long is a failure': async (target) => {
    await using c = await run(target, SLEEP, check('sleep 1000', { Timeout: 300, Retries: 1 }));
    const { Log } = await becomes(c, 'unhealthy');
    assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [-1, 'Health check exceeded timeout (300ms)']);
  },
  'a command that is not there is a failure': async (target) => {
    await using c = await run(target, SLEEP, check(['CMD', '/nope']));
    const { Log } = await logged(c);
    assert.equal(Log[0]?.ExitCode, -1);
    assert.match(Log[0]?.Output ?? '', /OCI runtime exec failed.*\/nope/);
  },
  'of a long output the beginning is kept, of many results the last five': async (target) => {
    await using c = await run(target, SLEEP, check('yes | head -c 100000; echo err >&2'));
    const { Log } = await logged(c, 5);
    assert.equal(Log[0]?.Output.length, 4096 + '...'.length);
    assert.ok(Log[0]?.Output.endsWith('...'));
    const last = Log.at(-1)?.Start;
    await eventually('a later result', async () => (await healthOf(c))?.Log.at(-1)?.Start !== last);
    assert.equal((await healthOf(c))?.Log.length, 5);
  },
  'in the start period failures do not count': async (target) => {
    await using c = await run(target, SLEEP, check('exit 1', { StartPeriod: 600_000, StartInterval: 200 }));
    const health = await logged(c, 4);
    assert.deepEqual([health.Status, health.FailingStreak], ['starting', 0]);
  },
  'the shell of the container is used, and the command runs in its environment': async (target) => {
    const body = { Shell: ['/bin/sh', '-ec'], Env: ['WORD=there'], ...check('echo $WORD; false; echo no') };
    await using c = await run(target, SLEEP, body);
    const { Log } = await logged(c);
    assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [1, 'there\n']);
  },
  'a frozen and a stopped container are unhealthy, a started one starts anew with its log': async (target) => {
    await using c = await run(target, SLEEP, check('true'));
    await becomes(c, 'healthy');
    assert.equal((await target.api('POST', `${c.path}/pause`)).status, 204);
    assert.equal((await healthOf(c))?.Status, 'unhealthy');
    assert.match(await psStatus(target, c), /^Up .* \(Paused\)$/);
    assert.equal((await target.api('POST', `${c.path}/unpause`)).status, 204);
    await becomes(c, 'healthy');
    assert.equal((await target.api('POST', `${c.path}/stop?t=0`)).status, 204);
    assert.equal((await healthOf(c))?.Status, 'unhealthy');
    assert.match(await psStatus(target, c), /^Exited \(137\)/);
    assert.equal(await found(target, c, 'unhealthy'), true);
    await c.start();
    const again = await healthOf(c);
    assert.ok(again?.Status !== 'unhealthy' && (again?.Log.length ?? 0) > 0);
  },
  'an image says how, a container says otherwise': async (target) => {
    const image = `checked-${target.name}`;
    const made = await target.docker(
      ['import', '--change', 'HEALTHCHECK --interval=200ms CMD echo of image', '-', image],
      {
        input: await busyboxArchive(),
      },
    );
    assert.equal(made.code, 0, made.stderr);
    const ids: string[] = [];
    try {
      for (const flags of [[], ['--no-healthcheck'], ['--health-cmd', 'echo own', '--health-interval', '300ms']]) {
        const { stdout, stderr } = await target.docker(['run', '-d', ...flags, image, 'sleep', '1000']);
        assert.equal(stderr, '');
        ids.push(stdout.trim());
      }
      const at = (i: number): Made =>
        ({ inspect: async () => (await target.api('GET', `/containers/${ids[i]}/json`)).json() }) as Made;
      assert.equal((await logged(at(0))).Log[0]?.Output, 'of image\n');
      assert.equal(await healthOf(at(1)), undefined);
      assert.equal((await logged(at(2))).Log[0]?.Output, 'own\n');
    } finally {
      await target.docker(['rm', '-f', ...ids]);
      await target.docker(['rmi', image]);
    }
  },
  'a test of no known kind is none': async (target) => {
    await using c = await create(target, SLEEP, { Healthcheck: { Test: ['FOO', 'true'], Interval: 2e8 } });
    await c.start();
    assert.equal(await healthOf(c), undefined);
    assert.match(await psStatus(target, c), /^Up [^(]*$/);
  },
});
