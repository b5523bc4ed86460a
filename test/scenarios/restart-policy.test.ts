import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import { hijack } from '../support/hijack.ts';

type Seen = Inspected & { RestartCount: number; State: { Restarting: boolean; FinishedAt: string } };

const look = async (c: Made): Promise<Seen> => (await c.inspect()) as Seen;
const policy = (Name: string, MaximumRetryCount = 0): object => ({
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});

/** Waits until a crashing container has a long wait before it, so that what is asked next comes in that wait. */
const waiting = (c: Made): Promise<Seen> =>
  eventually('a restart to wait for', async () => {
    const seen = await look(c);
    return seen.RestartCount >= 5 && seen.State.Restarting && seen;
  });

const REFUSALS: readonly (readonly [hostConfig: object, message: string])[] = [
  [{ AutoRemove: true, RestartPolicy: { Name: 'always' } }, "can't create 'AutoRemove' container with restart policy"],
  [
    { RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } },
    "maximum retry count cannot be used with restart policy 'always'",
  ],
  [{ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -2 } }, 'maximum retry count cannot be negative'],
  [{ RestartPolicy: { Name: 'sometimes' } }, "invalid restart policy 'sometimes'"],
];

onBoth('restart policies', {
  'a crash loop: the state while it waits, what is refused then, and that stop ends it': async (target) => {
    await using c = await run(target, 'exit 3', policy('always'));
    const { State } = await waiting(c);
    assert.deepEqual(
      [State.Status, State.Running, State.Restarting, State.Paused, State.Pid, State.ExitCode],
      ['restarting', true, true, false, 0, 3],
    );
    const says = async (method: string, path: string, body?: object): Promise<[number, string]> => {
      const { status, text } = await target.api(method, `${c.path}${path}`, body);
      return [status, text === '' ? '' : (JSON.parse(text) as { message: string }).message];
    };
    const busy = [409, `Container ${c.id} is restarting, wait until the container is running`];
    assert.deepEqual(await says('POST', '/start'), [304, '']);
    assert.deepEqual(await says('POST', '/pause'), busy);
    assert.deepEqual(await says('GET', '/top'), busy);
    assert.deepEqual(await says('POST', '/exec', { Cmd: ['true'] }), busy);
    assert.deepEqual(await says('DELETE', ''), [
      409,
      `You cannot remove a restarting container ${c.id}. Stop the container before attempting removal or force remove`,
    ]);
    const listed = await target.docker(['ps', '--no-trunc', '--filter', `id=${c.id}`, '--format', '{{.Status}}']);
    assert.match(listed.stdout, /^(Restarting \(3\) .* ago|Up .*)\n$/);
    const counts = (await target.api('GET', '/info')).json();
    assert.deepEqual([counts['ContainersRunning'], counts['ContainersStopped']], [0, 1], 'what waits does not run');
    assert.deepEqual(await says('POST', '/stop'), [204, '']);
    const after = await look(c);
    assert.deepEqual([after.State.Status, after.State.Running, after.State.ExitCode], ['exited', false, 3]);
    assert.deepEqual(await says('POST', '/stop'), [304, '']);
    const actions = await actionsOf(target, c.id);
    assert.deepEqual(actions.slice(-3), ['start', 'die', 'stop']);
    await c.start();
    assert.ok((await look(c)).RestartCount <= 1, 'a start by hand counts anew');
  },
  'kill and rm -f while it waits': async (target) => {
    await using c = await run(target, 'exit 3', policy('unless-stopped'));
    await waiting(c);
    assert.equal((await target.api('POST', `${c.path}/kill`)).status, 204);
    assert.equal((await look(c)).State.Status, 'exited');
    await c.start();
    await waiting(c);
    assert.equal((await target.api('DELETE', `${c.path}?force=1`)).status, 204);
    assert.equal((await target.api('GET', `${c.path}/json`)).status, 404);
    assert.deepEqual((await actionsOf(target, c.id)).slice(-2), ['die', 'destroy']);
  },
  'on-failure counts, and leaves alone what ended well': async (target) => {
    await using bad = await run(target, 'echo once; exit 4', policy('on-failure', 2));
    await using good = await run(target, 'exit 0', policy('on-failure'));
    const end = await eventually('the last retry', async () => {
      const seen = await look(bad);
      return seen.State.Status === 'exited' && seen;
    });
    assert.deepEqual([end.RestartCount, end.State.ExitCode], [2, 4]);
    const { stdout } = await target.docker(['logs', bad.id]);
    assert.equal(stdout, 'once\n'.repeat(3));
    await eventually('its end', async () => (await look(good)).State.Status === 'exited');
    assert.equal((await look(good)).RestartCount, 0);
  },
  'a killed process is started again unless it was killed by hand': async (target) => {
    await using c = await run(target, 'exec sleep 1000', policy('always'));
    const { Pid } = (await look(c)).State;
    process.kill(Pid, 'SIGKILL');
    const again = await eventually('another process', async () => {
      const seen = await look(c);
      return seen.State.Status === 'running' && seen.State.Pid !== Pid && seen;
    });
    assert.equal(again.RestartCount, 1);
    assert.equal((await target.api('POST', `${c.path}/kill`)).status, 204);
    assert.equal((await look(c)).State.Status, 'exited');
  },
  'waiters hear of every end': async (target) => {
    await using c = await create(target, 'read x; exit 7', { OpenStdin: true, ...policy('always') });
    await c.start();
    using streams = await hijack(target, `${c.path}/attach?stream=1&stdin=1`);
    const next = target.api('POST', `${c.path}/wait?condition=next-exit`);
    const down = c.wait();
    await eventually('both wait', async () => (await look(c)).State.Running);
    streams.socket.write('go\n');
    assert.equal((await next).json<{ StatusCode: number }>().StatusCode, 7);
    assert.equal(await down, 7);
  },
  'a first start that fails is not tried again': async (target) => {
    await using c = await create(target, '', { Cmd: ['/nowhere'], ...policy('always') });
    assert.equal((await target.api('POST', `${c.path}/start`)).status, 400);
    const { State, RestartCount } = await look(c);
    assert.deepEqual([State.Status, State.ExitCode, RestartCount], ['created', 127, 0]);
  },
  'policies that make no sense are refused': async (target) => {
    for (const [HostConfig, message] of REFUSALS) {
      const reply = await target.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'], HostConfig });
      assert.deepEqual([reply.status, reply.json()], [400, { message }]);
    }
  },
});
