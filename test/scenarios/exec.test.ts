import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { hijack, outputOf } from '../support/hijack.ts';
import type { Target } from '../support/target.ts';

/** A command that stays until it is killed, and dies at once when it is. */
const IDLE = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';
const ALL_CAPS = '000001ffffffffff';
const OUT = { AttachStdout: true, AttachStderr: true };

interface ExecState {
  ID: string;
  Running: boolean;
  ExitCode: number | null;
  Pid: number;
  CanRemove: boolean;
  ContainerID: string;
  OpenStdin: boolean;
  OpenStdout: boolean;
  OpenStderr: boolean;
  ProcessConfig: { tty: boolean; entrypoint: string; arguments: string[]; privileged: boolean; user?: string };
}

async function createExec(target: Target, c: Made, body: Record<string, unknown>): Promise<string> {
  const reply = await target.api('POST', `${c.path}/exec`, body);
  assert.equal(reply.status, 201, reply.text);
  return reply.json<{ Id: string }>().Id;
}

const inspect = async (target: Target, id: string): Promise<ExecState> =>
  (await target.api('GET', `/exec/${id}/json`)).json<ExecState>();

const message = (text: string): string => (JSON.parse(text) as { message: string }).message;

/** Runs to its end and gives what it printed with its exit code. */
async function exec(target: Target, c: Made, body: Record<string, unknown>) {
  const id = await createExec(target, c, { ...OUT, ...body });
  using stream = await hijack(target, `/exec/${id}/start`, { body: { Tty: body['Tty'] === true } });
  const bytes = await stream.ended();
  const ended = await eventually('the exec ends', async () => {
    const state = await inspect(target, id);
    return !state.Running && state;
  });
  return { id, bytes, code: ended.ExitCode };
}

/** The runtime's words for what cannot be started. */
const FAILURES = [
  // dockerd 20.10 records 126 for a missing command; later ones, and Gantry, record 127.
  {
    cmd: ['nothing'],
    codes: { dockerd: 126, gantry: 127 },
    says: 'exec: "nothing": executable file not found in $PATH',
  },
  { cmd: ['/no/such'], codes: { dockerd: 126, gantry: 127 }, says: 'stat /no/such: no such file or directory' },
  { cmd: ['/etc/passwd'], codes: { dockerd: 126, gantry: 126 }, says: '"/etc/passwd": permission denied' },
  { cmd: ['/etc'], codes: { dockerd: 126, gantry: 126 }, says: 'exec: "/etc": permission denied' },
];

const USERS: Record<string, string> = {
  '': 'uid=0(root) gid=0(root) groups=0(root),10(wheel)',
  me: 'uid=1000(me) gid=1000(me) groups=10(wheel),1000(me)',
  '1000': 'uid=1000(me) gid=1000(me) groups=10(wheel),1000(me)',
  'me:daemon': 'uid=1000(me) gid=1(daemon) groups=1(daemon)',
  '1000:10': 'uid=1000(me) gid=10(wheel) groups=10(wheel)',
  '0:1000': 'uid=0(root) gid=1000(me) groups=1000(me)',
  '4242': 'uid=4242 gid=0(root) groups=0(root)',
  '4242:4343': 'uid=4242 gid=4343 groups=4343',
};

onBoth('exec', {
  'what is asked for is what inspect tells, before, while and after it runs': async (target) => {
    await using c = await run(target, IDLE);
    const id = await createExec(target, c, {
      ...OUT,
      AttachStdin: true,
      User: 'me',
      Cmd: ['sh', '-c', 'read x; exit 5'],
    });
    const expected = {
      ID: id,
      Running: false,
      ExitCode: null,
      ProcessConfig: {
        tty: false,
        entrypoint: 'sh',
        arguments: ['-c', 'read x; exit 5'],
        privileged: false,
        user: 'me',
      },
      OpenStdin: true,
      OpenStderr: true,
      OpenStdout: true,
      CanRemove: false,
      ContainerID: c.id,
      DetachKeys: '',
      Pid: 0,
    };
    assert.deepEqual(await inspect(target, id), expected);
    assert.deepEqual((await c.inspect()).ExecIDs, [id]);
    using stream = await hijack(target, `/exec/${id}/start`, { body: {} });
    assert.equal(stream.status, 101);
    const running = await eventually('it runs', async () => {
      const state = await inspect(target, id);
      return state.Pid > 0 && state;
    });
    assert.deepEqual({ ...running, Pid: 0 }, { ...expected, Running: true });
    await eventually('the pid is that of the command', async () =>
      (await readFile(`/proc/${running.Pid}/cmdline`, 'utf8')).startsWith('sh\0-c\0read x'),
    );
    stream.socket.write('go\n');
    await stream.ended();
    const ended = await eventually('it has ended', async () => {
      const state = await inspect(target, id);
      return !state.Running && state;
    });
    assert.deepEqual({ ...ended, Pid: 0 }, { ...expected, ExitCode: 5 });
    assert.equal((await c.inspect()).ExecIDs, null);
  },

  'docker exec gives both outputs, the input and the exit code': async (target) => {
    await using c = await run(target, IDLE);
    const both = await target.docker(['exec', c.id, 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual(both, { code: 7, stdout: 'out\n', stderr: 'err\n' });
    const input = 'x'.repeat(300_000);
    const piped = await target.docker(['exec', '-i', c.id, 'wc', '-c'], { input });
    assert.deepEqual(piped, { code: 0, stdout: '300000\n', stderr: '' });
    const without = await target.docker(['exec', c.id, 'wc', '-c'], { input });
    assert.deepEqual(without, { code: 0, stdout: '0\n', stderr: '' });
    const killed = await target.docker(['exec', c.id, 'sh', '-c', 'kill -9 $$']);
    assert.equal(killed.code, 137);
    const only = await exec(target, c, { AttachStderr: false, Cmd: ['sh', '-c', 'echo out; echo err >&2'] });
    assert.equal(only.bytes.subarray(8).toString(), 'out\n', 'only the outputs asked for');
  },

  'a detached exec answers at once and goes on': async (target) => {
    await using c = await run(target, IDLE);
    const detached = await target.docker([
      'exec',
      '-d',
      c.id,
      'sh',
      '-c',
      'while [ ! -e /go ]; do sleep 0.02; done; echo done >/f',
    ]);
    assert.deepEqual(detached, { code: 0, stdout: '', stderr: '' });
    const [id = ''] = (await c.inspect()).ExecIDs ?? [];
    assert.equal((await inspect(target, id)).Running, true);
    await target.docker(['exec', c.id, 'touch', '/go']);
    await eventually('it ends', async () => !(await inspect(target, id)).Running);
    const file = await target.docker(['exec', c.id, 'cat', '/f']);
    assert.deepEqual([file.stdout, (await inspect(target, id)).ExitCode], ['done\n', 0]);
  },

  'users and groups are those of the container’s own files': async (target) => {
    await using c = await run(target, IDLE);
    for (const [user, expected] of Object.entries(USERS)) {
      const { bytes } = await exec(target, c, { User: user, Cmd: ['id'] });
      assert.equal(outputOf('stdout', bytes), `${expected}\n`, `user ${user}`);
    }
    const named = await exec(target, c, { User: 'me', Cmd: ['sh', '-c', 'echo $HOME'] });
    assert.equal(outputOf('stdout', named.bytes), '/home\n');
    for (const [user, says] of [
      ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
      ['me:nobodies', 'unable to find group nobodies: no matching entries in group file'],
    ] as const) {
      const failed = await exec(target, c, { User: user, Cmd: ['id'] });
      assert.deepEqual([outputOf('stdout', failed.bytes), failed.code], [`${says}\r\n`, 126]);
    }
  },

  'environment and working directory: the container’s, then those of the exec': async (target) => {
    await using c = await run(target, IDLE, {
      Env: ['A=container', 'B=container'],
      WorkingDir: '/var',
      Hostname: 'box',
    });
    const env = await target.docker(['exec', '-e', 'A=exec', '-e', 'C=d e', c.id, 'env']);
    assert.deepEqual(env.stdout.trimEnd().split('\n').sort(), [
      'A=exec',
      'B=container',
      'C=d e',
      'HOME=/root',
      'HOSTNAME=box',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
    // What the request to start it says, decides about frames: docker-py leaves it out.
    const terminal = await createExec(target, c, { ...OUT, Tty: true, Cmd: ['echo', 'a'] });
    using framed = await hijack(target, `/exec/${terminal}/start`, { body: {} });
    assert.equal(outputOf('stdout', await framed.ended()), 'a\r\n');
    const plain = await createExec(target, c, { ...OUT, Cmd: ['echo', 'a'] });
    using raw = await hijack(target, `/exec/${plain}/start`, { body: { Tty: true } });
    assert.equal((await raw.ended()).toString(), 'a\n');
    const tty = await exec(target, c, { Tty: true, Cmd: ['sh', '-c', 'echo $TERM'] });
    assert.equal(tty.bytes.toString(), 'xterm\r\n');
    assert.equal((await target.docker(['exec', c.id, 'pwd'])).stdout, '/var\n');
    assert.equal((await target.docker(['exec', '-w', '/tmp', c.id, 'pwd'])).stdout, '/tmp\n');
    const nowhere = await exec(target, c, { WorkingDir: '/nowhere', Cmd: ['pwd'] });
    assert.match(
      outputOf('stdout', nowhere.bytes),
      /chdir to cwd \("\/nowhere"\) set in config.json failed: no such file/u,
    );
  },

  'a privileged exec has every capability, another the container’s': async (target) => {
    await using c = await run(target, IDLE, { HostConfig: { CapDrop: ['CHOWN'] } });
    const caps = async (args: string[]): Promise<string | undefined> => {
      const { stdout } = await target.docker(['exec', ...args, c.id, 'cat', '/proc/self/status']);
      return /^CapEff:\s+(\w+)$/mu.exec(stdout)?.[1];
    };
    const own = /^CapEff:\s+(\w+)$/mu.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
    assert.equal(await caps([]), '00000000a80425fa');
    assert.equal(await caps(['-u', 'me']), '0000000000000000');
    // dockerd asks for every capability there is, and fails where the host does not hold them all.
    if (target.name === 'gantry' || own === ALL_CAPS) assert.equal(await caps(['--privileged']), own);
  },

  'what cannot be started is told in the stream, with an exit code': async (target) => {
    await using c = await run(target, IDLE);
    for (const { cmd, codes, says } of FAILURES) {
      const failed = await exec(target, c, { Cmd: cmd });
      const text = outputOf('stdout', failed.bytes);
      assert.ok(text.startsWith('OCI runtime exec failed: exec failed: '), text);
      assert.ok(text.includes(says), text);
      assert.ok(text.endsWith('\r\n'), text);
      assert.equal(failed.code, codes[target.name], text);
      const cli = await target.docker(['exec', c.id, ...cmd]);
      assert.equal(cli.code, codes[target.name]);
      assert.ok(`${cli.stdout}${cli.stderr}`.includes(says), `${cli.stdout}${cli.stderr}`);
      const id = await createExec(target, c, { ...OUT, Cmd: cmd });
      const detached = await target.api('POST', `/exec/${id}/start`, { Detach: true });
      assert.equal(detached.status, 400);
      assert.ok(message(detached.text).includes(says), detached.text);
      assert.equal((await inspect(target, id)).ExitCode, codes[target.name]);
    }
    assert.equal((await c.inspect()).ExecIDs, null);
  },

  'an exec runs once': async (target) => {
    await using c = await run(target, IDLE);
    const { id } = await exec(target, c, { Cmd: ['true'] });
    using again = await hijack(target, `/exec/${id}/start`, { body: {} });
    assert.equal(outputOf('stdout', await again.ended()), `Error: Exec command ${id} has already run\r\n`);
    const detached = await target.api('POST', `/exec/${id}/start`, { Detach: true });
    assert.deepEqual([detached.status, message(detached.text)], [409, `Error: Exec command ${id} has already run`]);
    const running = await createExec(target, c, { ...OUT, Cmd: ['sleep', '1000'] });
    assert.equal((await target.api('POST', `/exec/${running}/start`, { Detach: true })).status, 200);
    const twice = await target.api('POST', `/exec/${running}/start`, { Detach: true });
    assert.deepEqual([twice.status, message(twice.text)], [409, `Error: Exec command ${running} is already running`]);
  },

  'requests that cannot be are refused': async (target) => {
    await using c = await run(target, IDLE);
    // A mistake of the caller is no failure of the engine, as it is for dockerd 20.10.
    const badKeys = target.name === 'dockerd' ? 500 : 400;
    const cases: [string, unknown, number, string | RegExp][] = [
      [`${c.path}/exec`, { Cmd: [] }, 400, 'No exec command specified'],
      [`${c.path}/exec`, { Cmd: ['id'], DetachKeys: 'ctrl-é' }, badKeys, 'Invalid escape keys (ctrl-é) provided'],
      ['/containers/nothing/exec', { Cmd: ['id'] }, 404, 'No such container: nothing'],
      ['/exec/nothing/start', {}, 404, 'No such exec instance: nothing'],
      ['/exec/nothing/resize?h=1&w=1', undefined, 404, /^no such exec/iu],
    ];
    for (const [path, body, status, says] of cases) {
      const reply = await target.api('POST', path, body);
      assert.equal(reply.status, status, reply.text);
      if (typeof says === 'string') assert.equal(message(reply.text), says);
      else assert.match(message(reply.text), says);
    }
    const missing = await target.api('GET', '/exec/nothing/json');
    assert.deepEqual([missing.status, message(missing.text)], [404, 'No such exec instance: nothing']);
  },

  'no exec in a paused container, nor in one that does not run': async (target) => {
    await using c = await run(target, IDLE);
    const id = await createExec(target, c, { ...OUT, Cmd: ['id'] });
    await target.api('POST', `${c.path}/pause`);
    const paused = `Container ${c.id} is paused, unpause the container before exec`;
    for (const [path, body] of [
      [`${c.path}/exec`, { Cmd: ['id'] }],
      [`/exec/${id}/start`, {}],
    ] as const) {
      const reply = await target.api('POST', path, body);
      assert.deepEqual([reply.status, message(reply.text)], [409, paused]);
    }
    await target.api('POST', `${c.path}/unpause`);
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    const stopped = await target.api('POST', `${c.path}/exec`, { Cmd: ['id'] });
    assert.deepEqual([stopped.status, message(stopped.text)], [409, `Container ${c.id} is not running`]);
    const start = await target.api('POST', `/exec/${id}/start`, {});
    assert.deepEqual([start.status, message(start.text)], [404, `No such exec instance: ${id}`]);
    assert.equal((await c.inspect()).ExecIDs, null);
    await using fresh = await create(target, IDLE);
    const never = await target.api('POST', `${fresh.path}/exec`, { Cmd: ['id'] });
    assert.deepEqual([never.status, message(never.text)], [409, `Container ${fresh.id} is not running`]);
  },

  'an exec’s terminal has the size it is given': async (target) => {
    await using c = await run(target, IDLE);
    const body = {
      ...OUT,
      AttachStdin: true,
      Tty: true,
      Cmd: ['sh', '-c', 'stty -echo; echo ready; read x; stty size; tty'],
    };
    const id = await createExec(target, c, body);
    using stream = await hijack(target, `/exec/${id}/start`, { body: { Tty: true } });
    await stream.until((bytes) => bytes.includes('ready'));
    assert.equal((await target.api('POST', `/exec/${id}/resize?h=33&w=77`)).status, 200);
    stream.socket.write('\n');
    assert.match((await stream.ended()).toString(), /33 77\r\n\/dev\/pts\/\d+\r\n$/u);
    assert.equal(stream.headers.get('content-type'), 'application/vnd.docker.raw-stream');
    if (target.name === 'dockerd') return; // API 1.42 brought the size in the requests.
    const sized = await createExec(target, c, { ...OUT, Tty: true, ConsoleSize: [11, 22], Cmd: ['stty', 'size'] });
    using first = await hijack(target, `/exec/${sized}/start`, { body: { Tty: true } });
    assert.equal((await first.ended()).toString(), '11 22\r\n');
    const started = await createExec(target, c, { ...OUT, Tty: true, Cmd: ['stty', 'size'] });
    using second = await hijack(target, `/exec/${started}/start`, { body: { Tty: true, ConsoleSize: [12, 34] } });
    assert.equal((await second.ended()).toString(), '12 34\r\n');
  },

  'ten execs at once keep to themselves': async (target) => {
    await using c = await run(target, IDLE);
    const numbers = Array.from({ length: 10 }, (_, n) => n);
    const started = await Promise.all(
      numbers.map(async (n) => {
        const cmd = ['sh', '-c', `read x; i=0; while [ $i -lt 100 ]; do echo ${n} $x; i=$((i+1)); done; exit ${n}`];
        const id = await createExec(target, c, { ...OUT, AttachStdin: true, Cmd: cmd });
        return { n, id, stream: await hijack(target, `/exec/${id}/start`, { body: {} }) };
      }),
    );
    assert.deepEqual((await c.inspect()).ExecIDs?.sort(), started.map(({ id }) => id).sort());
    await Promise.all(
      started.map(async ({ n, id, stream }) => {
        stream.socket.write(`in${n}\n`);
        assert.equal(outputOf('stdout', await stream.ended()), `${n} in${n}\n`.repeat(100));
        await eventually('it ends', async () => (await inspect(target, id)).ExitCode === n);
      }),
    );
    await eventually('none is left', async () => (await c.inspect()).ExecIDs === null);
  },

  'an exec that has ended is known as long as its container is there': async (target) => {
    const c = await run(target, IDLE);
    const { id } = await exec(target, c, { Cmd: ['true'] });
    const other = await createExec(target, c, { ...OUT, Cmd: ['sleep', '1000'] });
    await target.api('POST', `/exec/${other}/start`, { Detach: true });
    assert.equal((await target.api('POST', `/exec/${other}/resize?h=10&w=10`)).status, 200, 'without a terminal, too');
    const late = await target.api('POST', `/exec/${id}/resize?h=1&w=1`);
    assert.deepEqual([late.status, message(late.text)], [404, 'no such exec']);
    await target.api('POST', `${c.path}/pause`);
    assert.equal((await inspect(target, other)).Running, true);
    await target.api('POST', `${c.path}/unpause`);
    await target.api('POST', `${c.path}/restart?t=0`);
    assert.deepEqual([(await inspect(target, id)).ExitCode, (await inspect(target, other)).ExitCode], [0, 137]);
    const again = await target.api('POST', `/exec/${id}/start`, { Detach: true });
    assert.deepEqual([again.status, message(again.text)], [409, `Error: Exec command ${id} has already run`]);
    await target.api('DELETE', `${c.path}?force=1`);
    for (const it of [id, other]) assert.equal((await target.api('GET', `/exec/${it}/json`)).status, 404);
  },

  'execs end with their container': async (target) => {
    await using c = await run(target, IDLE);
    const id = await createExec(target, c, { ...OUT, Cmd: ['sleep', '1000'] });
    using stream = await hijack(target, `/exec/${id}/start`, { body: {} });
    await eventually('it runs', async () => (await inspect(target, id)).Running);
    await target.api('POST', `${c.path}/kill`);
    await stream.ended();
    assert.equal(await c.wait(), 137);
    await eventually('none is left', async () => (await c.inspect()).ExecIDs === null);
  },
});
