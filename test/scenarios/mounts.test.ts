import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox, onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

interface Mount {
  Type: string;
  Name?: string;
  Source: string;
  Destination: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

const mountsOf = async (target: Target, name: string): Promise<Mount[]> =>
  JSON.parse(await ok(target, 'inspect', '--format', '{{json .Mounts}}', name)) as Mount[];

/** Destination, name or source, mode, whether writable, propagation; the source only where a test made it. */
async function shown(target: Target, name: string, dir: string): Promise<string[]> {
  const found = await mountsOf(target, name);
  return found
    .map(({ Destination, Name, Source, Mode, RW, Propagation }) => {
      const from = /^[0-9a-f]{64}$/u.test(Name ?? '') ? 'anonymous' : (Name ?? Source.replace(dir, 'DIR'));
      return [Destination, from, Mode || '-', RW ? 'rw' : 'ro', Propagation || '-'].join(' ');
    })
    .sort();
}

const dir = mkdtempSync('/var/tmp/gantry-mounts-');
const host = join(dir, 'host');
before(async () => {
  for (const name of ['plain/below', 'shared', 'other']) mkdirSync(join(host, name), { recursive: true });
  writeFileSync(join(host, 'file'), 'of the host\n');
  for (const at of ['shared', 'plain/below']) await command('mount', ['-t', 'tmpfs', 'tmpfs', join(host, at)]);
  await command('mount', ['--make-shared', join(host, 'shared')]);
  mkdirSync(join(host, 'shared/inner'));
});
after(async () => {
  for (const at of ['shared', 'plain/below']) await command('umount', ['-R', join(host, at)]);
  rmSync(dir, { recursive: true });
});

const bind = (Source: string, Target: string, over: object = {}) => ({ Type: 'bind', Source, Target, ...over });

/** Every form there is. */
const FORMS = {
  Binds: [
    `${host}/plain:/m/rw`,
    `${host}/plain:/m/ro:ro`,
    `${host}/plain/:/m//dotted/../clean/`,
    `${host}/file:/m/file:ro`,
    `${host}/other:/m/private:private`,
    `${host}/shared:/m/rprivate:rprivate`,
    `${host}/shared:/m/slave:slave`,
    `${host}/shared/inner:/m/rslave:ro,rslave`,
    `${host}/shared:/m/shared:shared`,
    `${host}/shared:/m/rshared:rshared,z`,
    `${host}/other:/m/rw/over`,
    `${host}/other:/m/é ü`,
    `${host}/other:/m/new\nline`,
    'named-of-forms:/m/named',
    'named-of-forms:/m/named-ro:ro,nocopy',
  ],
  Mounts: [
    bind(`${host}/plain`, '/m/alone', { BindOptions: { NonRecursive: true } }),
    bind(`${host}/plain`, '/m/alone-ro', { ReadOnly: true, BindOptions: { NonRecursive: true } }),
    bind(`${host}/shared`, '/m/spread', { BindOptions: { Propagation: 'rslave' } }),
    bind(`${host}/plain`, '/m/a/b/c/d'),
    bind(`${host}/plain`, '/m/a/b'),
    { Type: 'tmpfs', Target: '/m/tmpfs', TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o700 } },
    { Type: 'tmpfs', Target: '/m/tmpfs-ro', ReadOnly: true },
    { Type: 'volume', Target: '/m/anonymous' },
    { Type: 'volume', Source: 'named-of-forms', Target: '/m/again', ReadOnly: true },
  ],
  Tmpfs: { '/m/t': '', '/m/t-exec/': 'exec,size=64k,uid=7,mode=1770', '/m/t-ro': 'ro,defaults', '/m/a': 'nr_inodes=9' },
};

/** Lines of mountinfo below /m, without what differs between two containers. Source: proc(5). */
function level(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.split(' ')[4]?.startsWith('/m') === true);
  return lines.map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', point, options, ...tags] = left.split(' ');
    const from = root.replace(/^.*\/volumes\//u, 'volumes/').replace(/[0-9a-f]{64}/u, 'ID');
    const peers = tags.map((tag) => tag.replace(/\d+/u, 'N'));
    return [point, from, options, ...peers, '-', ...right.split(' ')].join(' ');
  });
}

describe('what is mounted', () => {
  const stack = new AsyncDisposableStack();
  let gantry: TestEngine;
  let dockerd: Target;
  before(async () => {
    [gantry, dockerd] = await Promise.all([startGantry(), startDockerd()]);
    stack.use(gantry);
    stack.use(dockerd as Target & AsyncDisposable);
    await Promise.all([gantry, dockerd].map(importBusybox));
  });
  after(() => stack.disposeAsync());

  test('every form is mounted, ordered and shown as by dockerd', async () => {
    const looks = [gantry, dockerd].map(async (target) => {
      const body = { Image: 'busybox', Cmd: ['cat', '/proc/self/mountinfo'], HostConfig: FORMS };
      const made = await target.api('POST', '/v1.41/containers/create?name=forms', body);
      assert.equal(made.status, 201, made.text);
      const info = await ok(target, 'start', '-a', 'forms');
      const lines = level(info);
      return {
        lines: lines.toSorted(),
        inspect: await shown(target, 'forms', dir),
        order: lines.map((it) => it.split(' ')[0] ?? ''),
      };
    });
    const [ours, theirs] = await Promise.all(looks);
    assert.deepEqual(ours?.lines, theirs?.lines);
    assert.deepEqual(ours?.inspect, theirs?.inspect);
    assert.ok((ours?.lines.length ?? 0) > 30, 'every form is there');
    const depths = (ours?.order ?? []).filter((it) => /^\/m(\/a)?(\/b)?(\/c\/d)?$/u.test(it));
    assert.deepEqual(depths, ['/m/a', '/m/a/b', '/m/a/b/c/d']);
  });

  const readOnly = (over: object = {}) => ({
    Image: 'busybox',
    Cmd: ['sh', '-c', 'touch /x/below/f && echo written || echo refused'],
    HostConfig: { Mounts: [bind(`${host}/plain`, '/x', { ReadOnly: true, ...over })] },
  });
  async function tried(api: string, body: object): Promise<string> {
    const made = await gantry.api('POST', `/${api}/containers/create`, body);
    assert.equal(made.status, 201, made.text);
    const { stdout, stderr } = await gantry.docker(['start', '-a', made.json<{ Id: string }>().Id]);
    return (stdout || stderr).trim();
  }

  test('read-only covers what is mounted below since 1.44, and before only the top', async () => {
    assert.match(await tried('v1.43', readOnly()), /written/u);
    assert.match(await tried('v1.44', readOnly()), /refused/u);
    const { HostConfig: _, ...plain } = readOnly();
    const old = { ...plain, HostConfig: { Binds: [`${host}/plain:/x:ro`] } };
    assert.match(await tried('v1.43', old), /written/u);
    assert.match(await tried('v1.51', old), /refused/u);
    assert.match(await tried('v1.51', readOnly({ BindOptions: { ReadOnlyNonRecursive: true } })), /written/u);
    assert.match(await tried('v1.51', readOnly({ BindOptions: { ReadOnlyForceRecursive: true } })), /refused/u);
  });

  const image = (Source: string, over: object = {}) => ({ Type: 'image', Source, Target: '/i', ...over });
  const withImage = (script: string, mount: object, over: object = {}) => ({
    Image: 'busybox',
    Cmd: ['sh', '-c', script],
    HostConfig: { Mounts: [mount], ...over },
  });

  test('an image: its layers as one, parts of it, nothing outside of it, and never to be written to', async () => {
    const layer = async (from: string, to: string, script: string) => {
      await ok(gantry, 'run', '--name', 'layer', from, 'sh', '-c', script);
      await ok(gantry, 'commit', 'layer', to);
      await ok(gantry, 'rm', 'layer');
    };
    await layer('busybox', 'lower', 'mkdir -p /d/s; echo 1 >/d/s/old; echo 1 >/d/s/kept; ln -s /../../etc /d/out');
    await layer('lower', 'upper', 'rm /d/s/old; echo 2 >/d/s/new');
    await ok(gantry, 'rmi', 'lower');
    const sees = (script: string, Subpath?: string, over?: object) =>
      tried(
        'v1.51',
        withImage(script, image('upper', Subpath === undefined ? {} : { ImageOptions: { Subpath } }), over),
      );
    assert.equal(await sees('cat /i/d/s/*; ls /i/d/s'), '1\n2\nkept\nnew');
    assert.equal(await sees('ls /i', 'd/s'), 'kept\nnew');
    assert.equal(await sees('cat /i', 'd/s/new'), '2');
    assert.equal(await sees('cat /i/passwd | head -n1', 'd/out'), 'root:x:0:0:root:/root:/bin/sh');
    const privileged = 'mount -o remount,rw /i; touch /i/x; echo $?';
    assert.match(await sees(privileged, undefined, { Privileged: true }), /^1$/mu);
    const refused = await gantry.api(
      'POST',
      '/v1.51/containers/create',
      withImage('', image('upper', { ImageOptions: { Subpath: 'd/s/old' } })),
    );
    assert.deepEqual(
      [refused.status, refused.json()],
      [400, { message: 'cannot access path d/s/old of image upper: no such file or directory' }],
    );
    const unknown = await gantry.api('POST', '/v1.51/containers/create', withImage('', image('nope')));
    assert.deepEqual([unknown.status, unknown.json()], [404, { message: 'No such image: nope:latest' }]);
  });

  test('an image that is mounted is in use, also after the engine was killed', async () => {
    await ok(gantry, 'tag', 'busybox', 'first');
    const made = await gantry.api('POST', '/v1.51/containers/create?name=mounting', withImage('ls /i', image('upper')));
    assert.equal(made.status, 201, made.text);
    const [mount] = await mountsOf(gantry, 'mounting');
    assert.ok((await ok(gantry, 'cp', 'mounting:/i/d/s/new', '-')).includes('\0' + '2\n'));
    const into = await gantry.docker(['cp', import.meta.filename, 'mounting:/i/d']);
    assert.match(into.stderr, /marked read-only/u);
    const expected = { Type: 'image', Name: 'upper', Destination: '/i', Mode: '', RW: false, Propagation: 'rprivate' };
    assert.deepEqual({ ...mount, Source: undefined }, { ...expected, Source: undefined });
    await gantry.crash();
    await gantry.start();
    for (const { Id } of (await gantry.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>()) {
      if (Id !== made.json<{ Id: string }>().Id) await gantry.api('DELETE', `/containers/${Id}?v=1`);
    }
    assert.equal((await gantry.api('DELETE', '/images/upper')).status, 409);
    // By force its name goes, and what is mounted stays.
    assert.equal((await gantry.api('DELETE', '/images/upper?force=1')).status, 200);
    assert.match(await ok(gantry, 'start', '-a', 'mounting'), /^etc$/mu);
    await ok(gantry, 'rm', 'mounting');
  });
});

onBoth('mounts', {
  'the mounts of another container are taken over, but where there is one of its own': async (target) => {
    const args = ['-v', 'vf-named:/n:ro', '-v', '/anon', '-v', `${host}/other:/b:ro,private`, '--tmpfs', '/t'];
    const busybox = ['busybox', 'true'];
    await ok(target, 'create', '--name', 'donor', ...args, '--mount', `type=bind,src=${host},dst=/m`, ...busybox);
    await ok(target, 'create', '--name', 'second', '-v', 'vf-second:/n', ...busybox);
    const taken = async (name: string, ...own: string[]) => {
      await ok(target, 'create', '--name', name, ...own, ...busybox);
      return shown(target, name, dir);
    };
    assert.deepEqual(await taken('all', '--volumes-from', 'donor'), [
      '/anon anonymous - rw -',
      '/b DIR/host/other - ro private',
      '/m DIR/host - rw rprivate',
      '/n vf-named - ro -',
    ]);
    assert.deepEqual(await taken('chained', '--volumes-from', 'all:ro,z'), [
      '/anon anonymous - ro -',
      '/b DIR/host/other - ro private',
      '/m DIR/host - ro rprivate',
      '/n vf-named - ro -',
    ]);
    assert.deepEqual(
      await taken('own', '--volumes-from', 'donor', '-v', `${host}:/b`, '-v', 'vf-own:/n', '-v', '/anon'),
      ['/anon anonymous - rw -', '/b DIR/host - rw rprivate', '/m DIR/host - rw rprivate', '/n vf-own z rw -'],
    );
    assert.match(
      (await taken('later', '--volumes-from', 'donor', '--volumes-from', 'second')).at(-1) ?? '',
      /vf-second - rw/u,
    );
    const anonymous = async (name: string) =>
      (await mountsOf(target, name)).find((it) => it.Destination === '/anon')?.Name;
    const volume = await anonymous('donor');
    assert.deepEqual([await anonymous('all'), await anonymous('own')], [volume, volume]);
    const filtered = async (value: string) =>
      (await ok(target, 'ps', '-a', '--filter', `volume=${value}`, '--format', '{{.Names}}')).split('\n');
    assert.deepEqual(await filtered('vf-named'), ['chained', 'all', 'donor']);
    assert.deepEqual(await filtered(volume ?? ''), ['later', 'own', 'chained', 'all', 'donor']);
    for (const name of ['later', 'own', 'chained', 'second']) await ok(target, 'rm', '-v', name);
    await ok(target, 'start', 'all');
    await ok(target, 'rm', '-v', 'donor');
    assert.equal((await target.api('GET', `/volumes/${volume}`)).status, 200);
    await ok(target, 'rm', '-v', '-f', 'all');
    assert.equal((await target.api('GET', `/volumes/${volume}`)).status, 404);
    assert.equal((await target.api('GET', '/volumes/vf-named')).status, 200);
    await ok(target, 'volume', 'rm', 'vf-named', 'vf-second', 'vf-own');
  },

  'what one writes the other reads, as long as it may': async (target) => {
    await using donor = await run(target, 'echo hello >/v/f', { Volumes: { '/v': {} } });
    await donor.wait();
    const from = (mode: string) => ({ HostConfig: { VolumesFrom: [`${donor.id.slice(0, 12)}${mode}`] } });
    await using reader = await run(target, 'grep -q hello /v/f && ! touch /v/g', from(':ro'));
    assert.equal(await reader.wait(), 0);
    await using writer = await run(target, 'touch /v/g', from(''));
    assert.equal(await writer.wait(), 0);
  },

  'a source that is missing is made at each start, or refused': async (target) => {
    const missing = join(dir, `made-${target.name}`, 'deep');
    const must = join(dir, `must-${target.name}`);
    await using made = await create(target, 'true', { HostConfig: { Binds: [`${missing}:/x`] } });
    assert.equal(existsSync(missing), false);
    for (let round = 0; round < 2; round++) {
      await made.start();
      await made.wait();
      rmdirSync(missing);
      rmdirSync(join(missing, '..'));
    }
    mkdirSync(must);
    await using strict = await create(target, 'true', { HostConfig: { Mounts: [bind(must, '/x')] } });
    rmdirSync(must);
    const { status, text } = await target.api('POST', `${strict.path}/start`);
    assert.ok([400, 500].includes(status), text);
    assert.equal(
      JSON.parse(text).message,
      `invalid mount config for type "bind": bind source path does not exist: ${must}`,
    );
    assert.equal(existsSync(must), false);
  },

  'links in an image lead nowhere outside of it': async (target) => {
    const trap = mkdtempSync(join(tmpdir(), 'gantry-trap-'));
    const climb = '../'.repeat(20);
    const script = `mkdir /dir; ln -s ${trap} /abs; ln -s ${climb.slice(0, -1)}${trap} /up; ln -s /dir /inside; ln -s ${trap}/file /dir/link`;
    await ok(target, 'run', '--name', 'evil', 'busybox', 'sh', '-c', script);
    await ok(target, 'commit', 'evil', 'evil');
    await ok(target, 'rm', 'evil');
    const binds = ['/abs/a', '/up/b/c', '/inside/d', '/dir/link'].map(
      (to) => `${host}/${to === '/dir/link' ? 'file' : 'other'}:${to}`,
    );
    await using made = await run(target, 'ls -d /dir/d /abs/a /up/b/c && cat /dir/link', {
      Image: 'evil',
      HostConfig: { Binds: binds, Tmpfs: { '/abs/t': '' } },
    });
    assert.equal(await made.wait(), 0);
    assert.deepEqual((await command('find', [trap, '-mindepth', '1'])).stdout, '');
    rmSync(trap, { recursive: true });
    await target.api('DELETE', made.path);
    await ok(target, 'rmi', '-f', 'evil');
  },
});
