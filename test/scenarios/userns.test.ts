import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

const FLAGS = ['--userns-remap', 'default'];
const USER = 'dockremap';

/** What a process sees that ids have a part in, without what differs from run to run. */
const LOOK = `cat /proc/self/uid_map /proc/self/gid_map; id; stat -c '%n %a %u:%g' / /etc/hosts /etc/hostname /etc/resolv.conf \
  /dev/shm /dev/null /dev/pts /dev/ptmx /bin/busybox /v; grep -E '^(Cap|Seccomp:|NoNew)' /proc/self/status; touch /made /v/made; \
  stat -c '%n %u:%g' /made /v/made; echo out >/dev/stdout; ping -c1 -q 127.0.0.1 >/dev/null && echo pinged; \
  mount -t tmpfs none /tmp 2>&1; echo 1 2>&1 >/proc/sys/kernel/panic; nc -l -p 80 -w 1; echo $?`;

describe('containers whose ids are mapped', () => {
  const stack = new AsyncDisposableStack();
  let gantry: TestEngine;
  let dockerd: Target;
  let first: { uid: number; gid: number };

  before(async () => {
    const known = (await command('getent', ['passwd', USER])).code === 0;
    stack.defer(async () => void (known || (await command('userdel', [USER]))));
    // One after the other: both would make the user.
    gantry = stack.use(await startGantry(FLAGS));
    dockerd = stack.use(await startDockerd({ extra: FLAGS }));
    await Promise.all([gantry, dockerd].map(importBusybox));
    const ids = async (file: string) =>
      Number(new RegExp(`^${USER}:(\\d+):`, 'm').exec(await readFile(file, 'utf8'))?.[1]);
    first = { uid: await ids('/etc/subuid'), gid: await ids('/etc/subgid') };
  });
  after(() => stack.disposeAsync());

  const both = async (...args: string[]) => {
    const [ours, theirs] = await Promise.all([gantry, dockerd].map((target) => target.docker(args)));
    return { ours, theirs };
  };

  const ROWS: Record<string, readonly string[]> = {
    'that say nothing': ['-v', '/v'],
    'with a terminal and a user': ['-t', '-u', '5:6', '-v', '/v'],
    'with more capabilities and no network': ['--cap-add', 'SYS_ADMIN', '--network', 'none', '-v', '/v'],
    'with kernel settings and a read-only root': ['--read-only', '--sysctl', 'kernel.msgmax=999', '--tmpfs', '/v'],
  };
  for (const [name, args] of Object.entries(ROWS)) {
    test(`${name} see what they see under dockerd`, async () => {
      const { ours, theirs } = await both('run', '--rm', ...args, 'busybox', 'sh', '-c', LOOK);
      assert.match(theirs?.stdout ?? '', /^\s+0\s+\d{6}\s+65536\r?$/m);
      assert.deepEqual(ours, theirs);
    });
  }

  test('what only the host’s root may have is refused in dockerd’s words', async () => {
    const refused: string[][] = [['--privileged'], ['--network', 'host'], ['--pid', 'host'], ['--userns', 'x']];
    for (const args of [...refused, ['-u', '70000']]) {
      const { ours, theirs } = await both('run', '--rm', ...args, 'busybox', 'true');
      const words = (text = '') => text.replace('failed to create shim task: ', '').replace(': unknown\n', '\n');
      assert.notEqual(theirs?.code, 0);
      assert.deepEqual([ours?.code, words(ours?.stderr)], [theirs?.code, words(theirs?.stderr)], args.join(' '));
    }
    const told = (await gantry.api('GET', '/info')).json<{ SecurityOptions: string[] }>();
    assert.ok(told.SecurityOptions.includes('name=userns'));
  });

  test('who stays in the host’s user namespace is joined by nobody whose ids are mapped, but may join them', async () => {
    await both('run', '-d', '--name', 'hosted', '--userns', 'host', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
    await both('run', '-d', '--name', 'mapped', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
    for (const namespace of ['network', 'PID', 'IPC']) {
      const flag = `--${namespace.toLowerCase()}`;
      const joining = await both('run', '--rm', flag, 'container:hosted', 'busybox', 'true');
      assert.deepEqual([joining.ours?.code, joining.theirs?.code], [125, 125], flag);
      const words = `cannot share the ${namespace} namespace of container [0-9a-f]{64} when user namespaces are enabled: its ids are mapped otherwise`;
      assert.match(joining.ours?.stderr ?? '', new RegExp(words));
      const { ours, theirs } = await both(
        'run',
        '--rm',
        '--userns',
        'host',
        flag,
        'container:mapped',
        'busybox',
        'true',
      );
      assert.equal(theirs?.code, 0);
      assert.deepEqual(ours, theirs);
    }
    await both('rm', '-f', 'hosted', 'mapped');
  });

  test('outside they are others, and what is stored are the ids inside', async () => {
    const { stdout } = await gantry.docker([
      'run',
      '-d',
      '--name',
      'seen',
      '-v',
      'kept:/v',
      'busybox',
      'sleep',
      '1000',
    ]);
    const exec = await gantry.docker(['exec', 'seen', 'sh', '-c', 'touch /v/f; chown 7:8 /v/f; mkdir /w; chown 5 /w']);
    assert.equal(exec.code, 0, exec.stderr);
    const { State } = (await gantry.api('GET', `/containers/${stdout.trim()}/json`)).json<{ State: { Pid: number } }>();
    const { uid, gid } = await stat(`/proc/${State.Pid}`);
    assert.deepEqual({ uid, gid }, first);
    const { Mountpoint } = (await gantry.api('GET', '/volumes/kept')).json<{ Mountpoint: string }>();
    const kept = await stat(join(Mountpoint, 'f'));
    assert.deepEqual([kept.uid, kept.gid], [7, 8]);
    const host = ['run', '--rm', '--userns', 'host', '--privileged', '-v', 'kept:/v', 'busybox'];
    const seen = await gantry.docker([...host, 'sh', '-c', 'stat -c %u:%g /v/f /bin/sh; cat /proc/self/uid_map']);
    assert.match(seen.stdout, /^7:8\n0:0\n\s+0\s+0\s+4294967295\n$/);
  });

  test('the source of a bind that is made belongs to root inside, as under dockerd', async () => {
    for (const target of [gantry, dockerd]) {
      const dir = await mkdtemp(join(tmpdir(), 'gantry-userns-'));
      await using _gone = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
      const bind = ['-v', `${dir}/a/b:/v`, 'busybox', 'sh', '-c', 'touch /v/made && stat -c %u:%g /v /v/made'];
      const seen = await target.docker(['run', '--rm', ...bind]);
      assert.deepEqual(seen, { code: 0, stdout: '0:0\n0:0\n', stderr: '' });
      for (const path of ['a', 'a/b', 'a/b/made']) {
        const { uid, gid } = await stat(join(dir, path));
        assert.deepEqual({ uid, gid }, first, `${target.name} ${path}`);
      }
    }
  });

  test('files are copied, told, exported and committed by the ids inside, whether it runs or not', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-userns-'));
    await using _gone = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
    await writeFile(join(dir, 'new'), 'new');
    const owners = async (...args: string[]): Promise<string> => {
      const line = `docker -H unix://${gantry.socket} ${args.join(' ')} | tar tv --numeric-owner | grep -E ' (w|v)/' | cut -c1-17`;
      return (await command('sh', ['-c', line])).stdout;
    };
    const once = async () => {
      assert.equal((await gantry.docker(['cp', join(dir, 'new'), 'seen:/w/new'])).code, 0);
      assert.match(await owners('cp', 'seen:/w', '-'), /^drwxr-xr-x 5\/0 .*\n-rw-r--r-- 0\/0 /);
      assert.match(await owners('cp', 'seen:/v', '-'), /^-rw-r--r-- 7\/8 /m);
      assert.match(await owners('export', 'seen'), /^drwxr-xr-x 5\/0 /m);
      assert.equal((await gantry.docker(['diff', 'seen'])).stdout, 'A /v\nA /w\nA /w/new\n');
    };
    await once();
    await gantry.docker(['stop', '-t', '0', 'seen']);
    await once();
    assert.equal((await gantry.docker(['commit', 'seen', 'made'])).code, 0);
    const made = ['busybox', 'made'].map((image) => ['run', '--rm', image, 'stat', '-c', '%u:%g', '/bin', '/w']);
    const [plain, committed] = await Promise.all(made.map((args) => gantry.docker(args)));
    assert.equal(plain?.stdout, '0:0\n');
    assert.equal(committed?.stdout, '0:0\n5:0\n');
  });

  test('root inside that has the host’s directories can change nothing of the engine’s but its own files', async () => {
    const image = ['--mount', 'type=image,source=busybox,target=/image', '-v', 'kept:/v'];
    const inside = (script: string, options: readonly string[] = [], input = '') =>
      gantry.docker(['run', '--rm', '-i', ...image, ...options, 'busybox', 'sh', '-c', script], { input });
    // All there is, its own container aside, as the host sees it.
    const { stdout: all } = await command('find', [
      gantry.dataRoot,
      gantry.execRoot,
      '-path',
      '*/fs/*',
      '-prune',
      '-o',
      '-print',
    ]);
    assert.match(all, /^.*\/data\/meta\.db$[^]*^.*\/exec\/mapped\/volumes\/kept\/_data\/f$/m);
    const change = `while read f; do for f in /host$f /host${gantry.execRoot}/mapped/\${f#${gantry.dataRoot}}; do
      if [ -d $f ]; then ln -s /etc/shadow $f/link || ln /host/tmp $f/link || mv $f $f.away; else cat </dev/null >>$f || rm -f $f || mv $f $f.away; fi && echo $f
      done; done 2>/dev/null; :`;
    const changed = await inside(change, ['-v', '/:/host'], all);
    assert.deepEqual(changed, { code: 0, stdout: '', stderr: '' });
    const own = await inside('echo x >>/etc/hosts && touch /v/t && stat -c %u /image/bin /v/t && touch /image/x');
    assert.deepEqual(own, { code: 1, stdout: '0\n0\n', stderr: 'touch: /image/x: Read-only file system\n' });
  });

  test('a daemon that was killed finds them, lets others join them, and none is left when they are gone', async () => {
    assert.equal((await gantry.docker(['start', 'seen'])).code, 0);
    await gantry.docker(['run', '-d', '--name', 'donor', '--ipc', 'shareable', 'busybox', 'sleep', '1000']);
    await gantry.crash();
    await gantry.start();
    const joins = ['--ipc', 'container:donor', '--pid', 'container:donor', '--network', 'container:donor'];
    const joined = await gantry.docker([
      'run',
      '--rm',
      ...joins,
      'busybox',
      'sh',
      '-c',
      'touch /dev/shm/x; ps | grep -c 1000',
    ]);
    assert.equal(joined.code, 0, joined.stderr);
    const exec = await gantry.docker(['exec', '-u', '5', 'seen', 'sh', '-c', 'echo x >/w/by-5; cat /w/new']);
    assert.equal(exec.stdout, 'new');
    await gantry.docker(['rm', '-f', 'donor', 'seen']);
    await gantry.terminate();
    const { stdout } = await command('findmnt', ['-rno', 'TARGET']);
    assert.ok(!stdout.includes(gantry.execRoot), stdout);
  });

  test('what was made or started while ids were not mapped gets nothing of the host from a daemon that maps them', async () => {
    await using engine = await startGantry();
    await importBusybox(engine);
    const run = (...args: string[]) => engine.docker(args);
    await run('run', '-d', '--name', 'before', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
    const refusals: Record<string, RegExp> = {
      '--privileged': /privileged mode is incompatible with user namespaces/,
      '--network=host': /cannot share the host's network namespace when user namespaces are enabled/,
      '--pid=host': /cannot share the host PID namespace when user namespaces are enabled/,
      '--pid=container:before': /cannot share the PID namespace of container \w+ when user namespaces are enabled/,
      '--ipc=container:before': /cannot share the IPC namespace of container \w+ when user namespaces are enabled/,
      '--network=container:before':
        /cannot share the network namespace of container \w+ when user namespaces are enabled/,
    };
    for (const [index, flag] of Object.keys(refusals).entries())
      assert.equal((await run('create', '--name', `made${index}`, flag, 'busybox', 'true')).code, 0);
    await engine.crash();
    await engine.start(FLAGS);
    for (const [index, [flag, words]] of Object.entries(refusals).entries()) {
      const { code, stderr } = await run('start', `made${index}`);
      assert.equal(code, 1, flag);
      assert.match(stderr, words);
    }
    await engine.terminate();
    await engine.start();
    for (const index of Object.keys(refusals).keys()) assert.equal((await run('start', '-a', `made${index}`)).code, 0);
  });
});
