import assert from 'node:assert/strict';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Inspected, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import type { ApiReply, Target } from '../support/target.ts';

/** A script that says when its trap stands; a signal sent before would find the default action. */
const trapping = (trap: string): string => `${trap}; echo ready; while :; do sleep 0.05; done`;

async function ready(target: Target, c: Made): Promise<void> {
  await eventually('the script is ready', async () =>
    (await target.api('GET', `${c.path}/logs?stdout=1`)).text.includes('ready'),
  );
}

async function status(target: Target, method: string, path: string): Promise<number> {
  return (await target.api(method, path)).status;
}

async function exists(target: Target, path: string): Promise<boolean> {
  return (await status(target, 'GET', `${path}/json`)) === 200;
}

const codeOf = (reply: ApiReply): number => reply.json<{ StatusCode: number }>().StatusCode;

onBoth('the life of a container', {
  'docker run ends as its command does': async (target) => {
    const cases: [args: string[], code: number, stderr: RegExp][] = [
      [['busybox', 'true'], 0, /^$/],
      [['busybox', 'sh', '-c', 'exit 7'], 7, /^$/],
      [['busybox', 'nosuch'], 127, /exec: "nosuch": executable file not found in \$PATH/],
      [['busybox', '/etc/passwd'], 126, /permission denied/],
      [['nosuch-image', 'true'], 125, /nosuch-image/],
      [['--nosuch-flag', 'busybox'], 125, /unknown flag: --nosuch-flag/],
      [['--memory', '1k', 'busybox', 'true'], 125, /Minimum memory limit allowed is 6MB/],
    ];
    for (const [args, code, stderr] of cases) {
      const result = await target.docker(['run', '--rm', '--pull', 'never', ...args]);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
      assert.match(result.stderr, stderr);
    }
    const left = await target.docker(['ps', '-aq']);
    assert.equal(left.stdout, '', '--rm leaves nothing, also when the start failed');
  },
  'a container goes from created to running to exited and can run again': async (target) => {
    await using c = await create(target, 'exit 3');
    const before = (await c.inspect()).State;
    assert.deepEqual([before.Status, before.Running, before.Pid, before.ExitCode], ['created', false, 0, 0]);
    for (const round of [1, 2]) {
      await c.start();
      assert.equal(await c.wait(), 3, `run ${round}`);
      const { State } = await c.inspect();
      assert.deepEqual([State.Status, State.Running, State.Pid, State.ExitCode], ['exited', false, 0, 3]);
    }
  },
  'the end of the last run is known while the next one goes on, by hand and by policy': async (target) => {
    const times = async (c: Made): Promise<{ StartedAt: string; FinishedAt: string }> =>
      (await c.inspect()).State as Inspected['State'] & { FinishedAt: string };
    await using c = await run(target, 'exec sleep 1000', { HostConfig: { RestartPolicy: { Name: 'always' } } });
    const NEVER = '0001-01-01T00:00:00Z';
    assert.equal((await times(c)).FinishedAt, NEVER);
    process.kill((await c.inspect()).State.Pid, 'SIGKILL');
    const again = await eventually('another run', async () => {
      const seen = await times(c);
      return seen.FinishedAt !== NEVER && seen.StartedAt > seen.FinishedAt && seen;
    });
    assert.equal(await status(target, 'POST', `${c.path}/stop?t=0`), 204);
    const { FinishedAt } = await times(c);
    assert.ok(FinishedAt > again.FinishedAt);
    await c.start();
    assert.equal((await times(c)).FinishedAt, FinishedAt);
  },
  'what it writes lives as long as it does': async (target) => {
    await using c = await run(target, 'test -e /mark && exit 5; echo > /mark');
    assert.equal(await c.wait(), 0);
    await c.start();
    assert.equal(await c.wait(), 5);
  },
  'starting a running one and stopping a stopped one change nothing': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const { Pid } = (await c.inspect()).State;
    assert.equal(await status(target, 'POST', `${c.path}/start`), 304);
    assert.equal((await c.inspect()).State.Pid, Pid);
    assert.equal(await status(target, 'POST', `${c.path}/stop?t=0`), 204);
    assert.equal(await status(target, 'POST', `${c.path}/stop`), 304);
  },
  'stop sends the signal of the container and waits': async (target) => {
    await using c = await run(target, trapping('trap "exit 4" USR1'), { StopSignal: 'SIGUSR1' });
    await ready(target, c);
    assert.equal(await status(target, 'POST', `${c.path}/stop?t=20`), 204);
    const { State } = await c.inspect();
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 4]);
  },
  'a time of -1 waits for ever, as a wish and as a setting': async (target) => {
    for (const [body, wish] of [
      [{}, '?t=-1'],
      [{ StopTimeout: -1 }, ''],
    ] as const) {
      await using c = await run(target, trapping('trap "" TERM'), { ...body });
      await ready(target, c);
      const stopped = target.api('POST', `${c.path}/stop${wish}`);
      await eventually('it has been told', async () => (await actionsOf(target, c.id)).includes('kill'));
      assert.equal(await Promise.race([stopped, sleep(500, 'still waits')]), 'still waits');
      assert.equal(await status(target, 'POST', `${c.path}/kill`), 204);
      assert.deepEqual([(await stopped).status, (await c.inspect()).State.ExitCode], [204, 137]);
    }
  },
  'a paused container is restarted, and killed, without being thawed first by hand': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    await target.api('POST', `${c.path}/pause`);
    assert.equal(await status(target, 'POST', `${c.path}/restart?t=0`), 204);
    assert.equal((await c.inspect()).State.Status, 'running');
    await target.api('POST', `${c.path}/pause`);
    assert.equal(await status(target, 'POST', `${c.path}/kill`), 204);
    assert.equal(await c.wait(), 137);
    const reply = await target.api('POST', `${c.path}/pause`);
    assert.deepEqual([reply.status, reply.json()], [409, { message: `Container ${c.id} is not running` }]);
  },
  'names of signals are Docker’s, real-time ones and aliases included': async (target) => {
    await using c = await run(target, trapping('trap "" CHLD WINCH IO PWR SYS STKFLT XFSZ 34 49 64'));
    await ready(target, c);
    for (const signal of ['rtmax', 'SIGRTMIN+15', 'RTMIN', 'CLD', 'POLL', 'STKFLT', 'WINCH', 'PWR', 'SYS', 'XFSZ']) {
      assert.equal(await status(target, 'POST', `${c.path}/kill?signal=${encodeURIComponent(signal)}`), 204, signal);
    }
    for (const signal of ['RTMIN+16', 'RTMAX-15', 'SIG', 'UNUSED', '1.5', ' TERM']) {
      const reply = await target.api('POST', `${c.path}/kill?signal=${encodeURIComponent(signal)}`);
      assert.deepEqual([reply.status, reply.json()], [400, { message: `Invalid signal: ${signal}` }]);
    }
    assert.equal((await c.inspect()).State.Running, true);
  },
  'stop kills what ignores it after its time': async (target) => {
    await using c = await run(target, trapping('trap "" TERM'));
    await ready(target, c);
    const begun = Date.now();
    const { code, stdout } = await target.docker(['stop', '-t', '1', c.id]);
    const took = Date.now() - begun;
    assert.deepEqual([code, stdout], [0, `${c.id}\n`]);
    assert.ok(took >= 1000 && took < 8000, `${took} ms`);
    assert.equal((await c.inspect()).State.ExitCode, 137);
  },
  'the time to stop is a setting of the container': async (target) => {
    await using c = await run(target, trapping('trap "" TERM'), { StopTimeout: 1 });
    await ready(target, c);
    const begun = Date.now();
    assert.equal(await status(target, 'POST', `${c.path}/stop`), 204);
    const took = Date.now() - begun;
    assert.ok(took >= 1000 && took < 8000, `${took} ms`);
  },
  'kill sends signals by name and number': async (target) => {
    await using c = await run(target, trapping('trap "echo one" USR1; trap "echo two" USR2; trap "exit 9" HUP'));
    await ready(target, c);
    for (const [signal, said] of [
      ['USR1', 'one'],
      ['sigusr2', 'two'],
    ] as const) {
      assert.equal(await status(target, 'POST', `${c.path}/kill?signal=${signal}`), 204);
      await eventually(said, async () => (await target.docker(['logs', c.id])).stdout.includes(said));
    }
    assert.equal((await c.inspect()).State.Running, true);
    assert.equal(await status(target, 'POST', `${c.path}/kill?signal=1`), 204);
    assert.equal(await c.wait(), 9);
    await c.start();
    assert.equal(await status(target, 'POST', `${c.path}/kill`), 204);
    assert.equal(await c.wait(), 137);
  },
  'restart begins anew, also from stopped': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const first = (await c.inspect()).State.Pid;
    assert.equal(await status(target, 'POST', `${c.path}/restart?t=0`), 204);
    const second = (await c.inspect()).State;
    assert.equal(second.Running, true);
    assert.notEqual(second.Pid, first);
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    assert.equal(await status(target, 'POST', `${c.path}/restart`), 204);
    assert.equal((await c.inspect()).State.Running, true);
  },
  'pause holds it still': async (target) => {
    await using c = await run(target, 'while :; do echo tick; sleep 0.01; done');
    assert.equal(await status(target, 'POST', `${c.path}/pause`), 204);
    const { State } = await c.inspect();
    assert.deepEqual([State.Status, State.Running, State.Paused], ['paused', true, true]);
    const logged = async (): Promise<number> => (await target.docker(['logs', c.id])).stdout.length;
    const still = await logged();
    const refused: [verb: string, body: unknown, text: RegExp][] = [
      ['pause', undefined, new RegExp(`^Container ${c.id} is already paused$`)],
      ['exec', { Cmd: ['true'] }, new RegExp(`^Container ${c.id} is paused, unpause the container before exec$`)],
      ['start', undefined, /^cannot start a paused container, try unpause instead$/],
    ];
    for (const [verb, body, text] of refused) {
      const reply = await target.api('POST', `${c.path}/${verb}`, body);
      assert.equal(reply.status, 409, reply.text);
      assert.match(reply.json<{ message: string }>().message, text);
    }
    assert.equal(await logged(), still);
    assert.equal(await status(target, 'POST', `${c.path}/unpause`), 204);
    assert.equal((await c.inspect()).State.Status, 'running');
    await eventually('it goes on', async () => (await logged()) > still);
  },
  'a paused container can be stopped and removed by force': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    await target.api('POST', `${c.path}/pause`);
    assert.equal(await status(target, 'DELETE', `${c.path}?force=1`), 204);
    assert.equal(await exists(target, c.path), false);
  },
  'a paused container goes on to receive the signal that stops it': async (target) => {
    for (const call of ['stop?t=100', 'kill?signal=TERM']) {
      await using c = await run(target, trapping("trap 'exit 5' TERM"));
      await ready(target, c);
      await target.api('POST', `${c.path}/pause`);
      assert.equal(await status(target, 'POST', `${c.path}/${call}`), 204);
      assert.equal(await c.wait(), 5);
      const actions = await actionsOf(target, c.id);
      assert.deepEqual(actions.slice(0, 6), ['create', 'start', 'pause', 'kill', 'unpause', 'die']);
    }
  },
  'a signal to stop with must be one': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    // The dockerd of the test does not know the parameter yet.
    if (target.name === 'dockerd') return;
    const reply = await target.api('POST', `${c.path}/stop?signal=NOPE&t=0`);
    assert.deepEqual([reply.status, reply.json()], [400, { message: 'Invalid signal: NOPE' }]);
    assert.equal(await status(target, 'POST', `/v1.41${c.path}/stop?signal=NOPE&t=0`), 204);
  },
  'a name is held by one container at a time and free once it is gone': async (target) => {
    const made = await target.docker(['create', '--name', 'only', 'busybox', 'true']);
    const again = await target.docker(['create', '--name', 'only', 'busybox', 'true']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /The container name "\/only" is already in use by container "[0-9a-f]{64}"/);
    assert.equal((await target.docker(['rename', 'only', 'other'])).code, 0);
    const second = await target.docker(['create', '--name', 'only', 'busybox', 'true']);
    assert.equal(second.code, 0, second.stderr);
    const short = made.stdout.slice(0, 8);
    for (const ref of ['other', '/other', short, made.stdout.trim()]) {
      const found = await target.docker(['inspect', '-f', '{{.Name}} {{.Id}}', ref]);
      assert.equal(found.stdout, `/other ${made.stdout}`, ref);
    }
    const removed = await target.docker(['rm', 'only', 'other']);
    assert.equal(removed.stdout, 'only\nother\n');
    assert.equal((await target.docker(['inspect', 'only'])).code, 1);
  },
  'names are made up, two words and different': async (target) => {
    await using a = await create(target, 'true');
    await using b = await create(target, 'true');
    const names = await target.docker(['inspect', '-f', '{{.Name}}', a.id, b.id]);
    const [one = '', two = ''] = names.stdout.split('\n');
    for (const name of [one, two]) assert.match(name, /^\/[a-z]+_[a-z]+\d?$/);
    assert.notEqual(one, two);
  },
  'another name must be one, and is not that of another': async (target) => {
    await using c = await create(target, 'true');
    const bad = (name: string): string =>
      `Error when allocating new name: Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;
    for (const name of ['a', '-a', 'a b', 'x/y', 'é']) {
      const reply = await target.api('POST', `${c.path}/rename?name=${encodeURIComponent(name)}`);
      assert.deepEqual([reply.status, reply.json()], [400, { message: bad(`/${name}`) }]);
    }
    const slash = await target.api('POST', `${c.path}/rename?name=/`);
    assert.deepEqual([slash.status, slash.json()], [400, { message: bad('/') }]);
    for (const name of ['/slashed', 'a'.repeat(300)]) {
      assert.equal(await status(target, 'POST', `${c.path}/rename?name=${name}`), 204);
      assert.equal(((await c.inspect()) as Inspected & { Name: string }).Name, `/${name.replace('/', '')}`);
    }
    await c.start();
    await target.api('POST', `${c.path}/pause`);
    assert.equal(await status(target, 'POST', `${c.path}/rename?name=while-it-runs-or-rests`), 204);
  },
  'a running container is removed by force only': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    assert.equal(await status(target, 'DELETE', c.path), 409);
    assert.equal(await status(target, 'DELETE', `${c.path}?force=true`), 204);
    assert.equal(await status(target, 'DELETE', c.path), 404);
  },
  'wait is answered when its condition is met, to everyone': async (target) => {
    await using c = await create(target, 'read line; exit 6', { OpenStdin: true });
    // Not running is what a created container already is.
    const now = await target.api('POST', `${c.path}/wait`);
    assert.equal(codeOf(now), 0);
    const next = [1, 2].map(() => target.api('POST', `${c.path}/wait?condition=next-exit`));
    const removed = target.api('POST', `${c.path}/wait?condition=removed`);
    await c.start();
    const running = [1, 2].map(() => target.api('POST', `${c.path}/wait?condition=not-running`));
    let settled = false;
    void Promise.race([...next, removed, ...running]).then(() => (settled = true));
    assert.equal((await c.inspect()).State.Running, true);
    assert.equal(settled, false);
    await target.api('POST', `${c.path}/kill?signal=KILL`);
    for (const reply of await Promise.all([...next, ...running])) assert.equal(codeOf(reply), 137);
    await target.api('DELETE', c.path);
    assert.equal(codeOf(await removed), 137);
  },
  'removal ends every wait, and a start that fails ends none for an exit': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const waits = ['removed', 'next-exit', 'not-running'].map((it) =>
      target.api('POST', `${c.path}/wait?condition=${it}`),
    );
    await using never = await create(target, 'true');
    const unstarted = ['removed', 'next-exit'].map((it) => target.api('POST', `${never.path}/wait?condition=${it}`));
    await using failing = await create(target, '', { Cmd: ['/nosuch'], HostConfig: { AutoRemove: true } });
    const gone = target.api('POST', `${failing.path}/wait?condition=removed`);
    await using kept = await create(target, '', { Cmd: ['/nosuch'] });
    const exit = target.api('POST', `${kept.path}/wait?condition=next-exit`);
    await sleep(300);
    assert.equal(await status(target, 'DELETE', `${c.path}?force=1`), 204);
    for (const reply of await Promise.all(waits)) assert.equal(codeOf(reply), 137);
    assert.equal(await status(target, 'DELETE', never.path), 204);
    for (const reply of await Promise.all(unstarted)) assert.equal(codeOf(reply), 0);
    for (const it of [failing, kept]) assert.equal(await status(target, 'POST', `${it.path}/start`), 400);
    assert.equal(codeOf(await gone), 127);
    assert.equal(await Promise.race([exit, sleep(300, 'still waits')]), 'still waits');
    const told = (await target.api('POST', `${kept.path}/wait`)).json<{ Error: { Message: string } }>();
    assert.match(told.Error.Message, /stat \/nosuch: no such file or directory/u);
    await target.api('DELETE', kept.path);
    await exit;
  },
  'the head of a wait comes at once': async (target) => {
    await using c = await create(target, 'true');
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const sent = request(
      { socketPath: target.socket, method: 'POST', path: `${c.path}/wait?condition=next-exit` },
      (response) => {
        response.on('error', () => {});
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on('error', reject).end();
    assert.equal(await promise, 200);
    sent.off('error', reject).on('error', () => {});
    sent.destroy();
  },
  '--rm removes it after its end, and wait for removal tells the code': async (target) => {
    await using c = await create(target, 'exit 8', { HostConfig: { AutoRemove: true } });
    const removed = target.api('POST', `${c.path}/wait?condition=removed`);
    await c.start();
    assert.equal(codeOf(await removed), 8);
    assert.equal(await exists(target, c.path), false);
  },
  'prune takes what does not run and fits the filters': async (target) => {
    await using stays = await run(target, 'exec sleep 1000', { Labels: { prune: 'yes' } });
    await using created = await create(target, 'true', { Labels: { prune: 'yes' } });
    await using exited = await run(target, 'echo data > /file', { Labels: { prune: 'yes', keep: '' } });
    await exited.wait();
    const prune = async (filters: object): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> => {
      const reply = await target.api(
        'POST',
        `/containers/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`,
      );
      assert.equal(reply.status, 200, reply.text);
      return reply.json();
    };
    const none = await prune({ label: ['prune=no'] });
    assert.deepEqual([none.ContainersDeleted ?? [], none.SpaceReclaimed], [[], 0]);
    const old = await prune({ until: ['1h'], label: ['prune'] });
    assert.deepEqual(old.ContainersDeleted ?? [], []);
    const one = await prune({ label: ['prune=yes'], 'label!': ['keep'] });
    assert.deepEqual(one.ContainersDeleted, [created.id]);
    const two = await prune({ label: ['prune'] });
    assert.deepEqual(two.ContainersDeleted, [exited.id]);
    assert.ok(two.SpaceReclaimed >= 5, `${two.SpaceReclaimed} bytes`);
    assert.equal((await stays.inspect()).State.Running, true);
  },
  'docker start -a gives the output and the exit code': async (target) => {
    await using c = await create(target, 'echo out; echo err >&2; exit 5');
    const { code, stdout, stderr } = await target.docker(['start', '-a', c.id]);
    assert.deepEqual([code, stdout, stderr], [5, 'out\n', 'err\n']);
  },
  'top shows the processes of a container and no others': async (target) => {
    await using c = await run(target, 'sleep 4321 & exec sleep 1234');
    const { Titles, Processes } = await eventually('both processes', async () => {
      const table = (await target.api('GET', `${c.path}/top`)).json<{ Titles: string[]; Processes: string[][] }>();
      return table.Processes.filter((row) => row.at(-1)?.startsWith('sleep')).length === 2 && table;
    });
    assert.deepEqual(Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    assert.deepEqual(
      Processes.map((row) => row.at(-1) ?? '').toSorted((a, b) => a.localeCompare(b)),
      ['sleep 1234', 'sleep 4321'],
    );
    const pids = Processes.map((row) => row[1]);
    assert.ok(pids.includes(String((await c.inspect()).State.Pid)), 'pids are those of the host');
    const own = await target.docker(['top', c.id, '-o', 'pid,comm']);
    assert.match(own.stdout, /^PID +COMMAND\n(\d+ +sleep\n){2}$/);
  },
});
