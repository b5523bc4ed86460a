import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TarEntry } from '../../src/util/tar/entry.ts';
import { archiveOf, inPieces } from '../../src/util/tar/tar-fixture.ts';
import { TarReader } from '../../src/util/tar/tar-reader.ts';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';
import { command, type Target } from '../support/target.ts';

/** Changes of every kind. */
const CHANGES = `
rm /bin/vi; rm -rf /home; rm -rf /var; mkdir -m 750 /var; echo y >/var/n
echo x >>/etc/passwd; chown 5:6 /usr; mv /etc/group /etc/group2; rm /bin/ed; mkdir /bin/ed; touch /bin/ed/x
rm -rf /root; echo file >/root; ln /bin/busybox /bb2; : >>/etc/passwd
mkdir /all; cd /all; mknod dev c 1 3; mknod blk b 259 70000; mkfifo fifo; echo hi >f; ln f hard; ln -s f sym; ln -s /nowhere dang
truncate -s 2M sparse; echo end >>sparse; echo s >suid; chown 1000:65534 suid; chmod 6755 suid; mkdir -m 1777 sticky; mkdir -m 0 none
touch -d @1000000000 old; chown 3000000:3000001 old; chown -h 7:8 sym; printf x >"$(printf 'odd\\377name')"; printf x >"$(printf 'new\\nline')"
n=$(printf '%0150d' 1); mkdir $n; echo a >$n/$n; ln -s $n longlink
`;
const CAPABILITY = Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64');
const LONG = '1'.padStart(150, '0');

/** What is the layer of those changes: type, name, mode, owner, size and whereto, as dockerd 20.10 has it. */
const LAYER = [
  'file .wh.home 600 0:0 0',
  'directory all 755 0:0 0',
  `directory all/${LONG} 755 0:0 0`,
  `file all/${LONG}/${LONG} 644 0:0 2`,
  'block all/blk 644 0:0 0 259,70000',
  'symlink all/dang 777 0:0 0 /nowhere',
  'char all/dev 644 0:0 0 1,3',
  'file all/f 644 0:0 3',
  'fifo all/fifo 644 0:0 0',
  'link all/hard 644 0:0 0 all/f',
  `symlink all/longlink 777 0:0 0 ${LONG}`,
  'file all/new\nline 644 0:0 1',
  'directory all/none 0 0:0 0',
  'file all/odd\xffname 644 0:0 1',
  'file all/old 644 3000000:3000001 0 1000000000',
  'file all/sparse 644 0:0 2097156',
  'directory all/sticky 1777 0:0 0',
  'file all/suid 6755 1000:65534 2',
  'symlink all/sym 777 7:8 0 f',
  'file bb2 755 0:0 SIZE',
  'directory bin 755 0:0 0',
  'file bin/.wh.vi 600 0:0 0',
  'link bin/busybox 755 0:0 0 bb2',
  'directory bin/ed 755 0:0 0',
  'file bin/ed/.wh..wh..opq 755 0:0 0 0',
  'file bin/ed/x 644 0:0 0',
  'directory etc 755 0:0 0',
  'file etc/.wh.group 600 0:0 0',
  'file etc/group2 644 0:0 52',
  'file etc/passwd 644 0:0 89',
  'file root 644 0:0 5',
  'directory tmp 755 0:0 0',
  `file tmp/capable 755 0:0 1 security.capability=${CAPABILITY.toString('hex')}`,
  'directory usr 755 5:6 0',
  'directory var 750 0:0 0',
  'file var/.wh..wh..opq 750 0:0 0 0',
  'file var/n 644 0:0 2',
];

/** What is in the files of that layer that the changes wrote whole. */
const CONTENTS: Readonly<Record<string, string>> = {
  '.wh.home': '',
  [`all/${LONG}/${LONG}`]: 'a\n',
  'all/f': 'hi\n',
  'all/new\nline': 'x',
  'all/sparse': `${'\0'.repeat(2 << 20)}end\n`,
  'all/suid': 's\n',
  'bin/ed/.wh..wh..opq': '',
  root: 'file\n',
  'tmp/capable': 'x',
  'var/n': 'y\n',
};

const OWN_TIME = /^(?:all\/old|.*\.wh\.\.wh\.\.opq)$/;

function told(entry: TarEntry): string {
  const { type, name, mode, uid, gid, size, linkName, devMajor, devMinor, mtime, xattrs } = entry;
  const path = name.replace(/\/$/, '');
  const more = [
    // dockerd's whiteouts tell of each other.
    type === 'file' ? '' : linkName,
    type === 'char' || type === 'block' ? `${devMajor},${devMinor}` : '',
    OWN_TIME.test(path) ? `${mtime.seconds}` : '',
    ...[...xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`),
  ];
  const bits = (mode & 0o7777).toString(8);
  return [type, path, bits, `${uid}:${gid}`, path === 'bb2' ? 'SIZE' : size, ...more]
    .filter((part) => part !== '')
    .join(' ');
}

async function membersOf(archive: Buffer): Promise<string[]> {
  const reader = new TarReader(inPieces(archive, 1 << 16));
  const found: string[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    assert.equal(entry.sparse, undefined, 'no holes, which many readers lose');
    found.push(told(entry));
  }
  return found.toSorted();
}

async function contentsOf(archive: Buffer): Promise<Record<string, string>> {
  const reader = new TarReader(inPieces(archive, 1 << 16));
  const found: Record<string, string> = {};
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    if (entry.name in CONTENTS) found[entry.name] = (await reader.readAll(1 << 23)).toString('latin1');
  }
  return found;
}

/** The topmost layer of an image, out of what `save` gives. */
async function topLayer(target: Target, image: string): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'layer-'));
  try {
    const saved = await target.docker(['save', '-o', join(dir, 'saved.tar'), image]);
    assert.equal(saved.code, 0, saved.stderr);
    execFileSync('tar', ['-C', dir, '-xf', join(dir, 'saved.tar')]);
    const [manifest] = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as { Layers: string[] }[];
    return await readFile(join(dir, manifest?.Layers.at(-1) ?? ''));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** What `export` gives of a container. */
async function exported(target: Target, { id }: { id: string }): Promise<string[]> {
  const file = join(tmpdir(), `export-${id}.tar`);
  try {
    assert.equal((await target.docker(['export', '-o', file, id])).code, 0);
    return await membersOf(await readFile(file));
  } finally {
    await rm(file, { force: true });
  }
}

/** Calls with bytes as the body go through curl, as the plain call knows JSON alone. */
async function put(target: Target, path: string, body: Buffer): Promise<void> {
  const url = ['-X', 'PUT', '--unix-socket', target.socket, `http://x${path}`];
  const sent = await command('curl', ['-sf', '-H', 'Content-Type: application/x-tar', '--data-binary', '@-', ...url], {
    input: body,
  });
  assert.equal(sent.code, 0, sent.stdout);
}

type Config = Record<string, unknown>;

/** Commits, and gives the status and what the image says, or why not. */
async function committed(target: Target, query: string, body?: unknown): Promise<[number, Config | string]> {
  const reply = await target.api('POST', `/v1.41/commit?${query}`, body);
  if (reply.status !== 201) return [reply.status, reply.json<{ message: string }>().message];
  const { Id } = reply.json<{ Id: string }>();
  const { Config } = (await target.api('GET', `/v1.41/images/${Id}/json`)).json<{ Config: Config }>();
  await target.api('DELETE', `/images/${Id}?force=1`);
  return [201, Config];
}

const BASE = {
  Env: ['A=va', 'P=x'],
  Labels: { l: '1' },
  WorkingDir: '/w',
  User: 'u',
  ExposedPorts: { '1/tcp': {} },
  Cmd: ['true'],
};

/** Instructions, and what of the config they change. */
const INSTRUCTIONS: readonly [changes: string, changed: Config][] = [
  ['CMD', { Cmd: ['/bin/sh', '-c'] }],
  ['CMD a b', { Cmd: ['/bin/sh', '-c', 'a b'] }],
  ['cmd ["a","b"]', { Cmd: ['a', 'b'] }],
  ['ENTRYPOINT x', { Cmd: null, Entrypoint: ['/bin/sh', '-c', 'x'] }],
  ['CMD y\nENTRYPOINT ["x"]', { Cmd: ['y'].flatMap((word) => ['/bin/sh', '-c', word]), Entrypoint: ['x'] }],
  ['ENV B=$A C=d', { Env: ['A=va', 'P=x', 'B=va', 'C=d'] }],
  ['ENV A new', { Env: ['A=new', 'P=x'] }],
  ['EXPOSE 80-81 90/udp', { ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '81/tcp': {}, '90/udp': {} } }],
  [
    'HEALTHCHECK --interval=1s --retries=2 CMD x',
    { Healthcheck: { Test: ['CMD-SHELL', 'x'], Interval: 1e9, Retries: 2 } },
  ],
  ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
  ['LABEL a=b "c d"=$A', { Labels: { a: 'b', 'c d': 'va', l: '1' } }],
  ['ONBUILD RUN x', { OnBuild: ['RUN x'] }],
  ['USER $A:g', { User: 'va:g' }],
  ['VOLUME /a b', { Volumes: { '/a': {}, b: {} } }],
  ['WORKDIR x', { WorkingDir: '/w/x' }],
  ['# nothing\nWORKDIR /x \\\n', { WorkingDir: '/x' }],
];

const REFUSED: readonly [query: string, body: unknown, status: number, message: RegExp][] = [
  ['', {}, 400, /^invalid name or ID supplied: ""$/],
  ['container=', {}, 400, /^invalid name or ID supplied: ""$/],
  ['container=nope', {}, 404, /^No such container: nope$/],
  ['container=ID&changes=RUN+x', {}, 400, /^run is not a valid change command$/],
  ['container=ID&changes=FROM+x', {}, 400, /^from is not a valid change command$/],
  ['container=ID&changes=COPY+a+b', {}, 400, /^copy is not a valid change command$/],
  ['container=ID&changes=nosuch', {}, 400, /^nosuch is not a valid change command$/],
  ['container=ID&changes=ENV', {}, 400, /^ENV requires at least one argument$/],
  ['container=ID&changes=ENV+a', {}, 400, /^ENV must have two arguments$/],
  ['container=ID&changes=EXPOSE+x', {}, 400, /^Invalid containerPort: x$/],
  ['container=ID&changes=ONBUILD+FROM+x', {}, 400, /^FROM isn't allowed as an ONBUILD trigger$/],
  ['container=ID&changes=HEALTHCHECK+--bad=1+CMD+x', {}, 400, /^Unknown flag: bad$/],
  ['container=ID&changes=%23+nothing', {}, 400, /^file with no instructions$/],
];

onBoth('commit', {
  'a layer, the changes and an export hold what was changed, and nothing else': async (target) => {
    await using c = await run(target, CHANGES);
    assert.equal(await c.wait(), 0);
    const capable = [
      { name: 'capable', data: 'x', mode: 0o755, xattrs: new Map([['security.capability', CAPABILITY]]) },
    ];
    await put(target, `${c.path}/archive?path=/tmp`, archiveOf(capable));
    assert.equal((await target.docker(['commit', c.id, 'made:layer'])).code, 0);
    const layer = await topLayer(target, 'made:layer');
    assert.deepEqual(await membersOf(layer), LAYER.toSorted());
    assert.deepEqual(await contentsOf(layer), CONTENTS);
    const changes = (await target.api('GET', `${c.path}/changes`)).json<{ Path: string; Kind: number }[]>();
    const whole = changes.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`);
    for (const one of ['D /home', 'C /bin/ed', 'A /bin/ed/x', 'C /usr', 'D /etc/group', 'C /root', 'C /var']) {
      assert.ok(whole.includes(one), `${one} in ${whole.join()}`);
    }
    assert.ok(!whole.some((one) => /^\S \/(?:dev|proc|sys|\.dockerenv|etc\/(?:hosts|mtab))/.test(one)), whole.join());
    await using again = await create(target, 'true', { Image: 'made:layer' });
    assert.deepEqual(await exported(target, again), await exported(target, c), 'the image is what the container was');
    await again[Symbol.asyncDispose]();
    await target.api('DELETE', '/images/made:layer?force=1');
  },
  'what every container has stands in its export, not in its changes': async (target) => {
    const made = [
      '.dockerenv',
      'dev/console',
      'dev/pts',
      'dev/shm',
      'etc/hostname',
      'etc/hosts',
      'etc/mtab',
      'etc/resolv.conf',
      'proc',
      'sys',
    ];
    await using fresh = await create(target, 'true');
    await using running = await run(target, 'exec sleep 1000', {
      HostConfig: { Tmpfs: { '/scratch': '' }, Binds: ['/etc:/bound/inner:ro'] },
    });
    await using dead = await run(target, 'test -f /.dockerenv && test -L /etc/mtab');
    assert.equal(await dead.wait(), 0);
    const [a, b, d] = [await exported(target, fresh), await exported(target, running), await exported(target, dead)];
    const names = a.map((line) => line.split(' ')[1]);
    for (const name of made) assert.ok(names.includes(name), `${name} in ${names.join()}`);
    assert.deepEqual(d, a);
    const mounted = ['bound', 'bound/inner', 'scratch'].map((name) => `directory ${name} 755 0:0 0`);
    assert.deepEqual(b, [...a, ...mounted].toSorted());
    for (const c of [fresh, dead]) assert.equal((await target.api('GET', `${c.path}/changes`)).json(), null);
  },
  'instructions and a config change what the image says': async (target) => {
    await using c = await create(target, '', BASE);
    const [, base] = await committed(target, `container=${c.id}`, {});
    for (const [changes, changed] of INSTRUCTIONS) {
      const got = await committed(target, `container=${c.id}&changes=${encodeURIComponent(changes)}`, {});
      assert.deepEqual(got, [201, { ...(base as Config), ...changed }], changes);
    }
    const given = {
      env: ['A=other'],
      Labels: { m: '3' },
      Entrypoint: ['e'],
      WorkingDir: '/q',
      ExposedPorts: { '5/udp': {} },
    };
    const [status, config] = await committed(target, `container=${c.id}&changes=ENV+Z=$A`, given);
    const { Env, Labels, Entrypoint, Cmd, WorkingDir, ExposedPorts, User, Hostname } = config as Config;
    assert.deepEqual([status, Env, Labels], [201, ['A=other', 'Z=other', 'P=x'], { l: '1', m: '3' }]);
    assert.deepEqual([Entrypoint, Cmd, WorkingDir, User, Hostname], [['e'], null, '/q', 'u', '']);
    assert.deepEqual(ExposedPorts, { '1/tcp': {}, '5/udp': {} });
  },
  'what is wrong is refused, and makes nothing': async (target) => {
    await using c = await create(target, 'true');
    const count = async () => (await target.api('GET', '/images/json?all=1')).json<unknown[]>().length;
    const before = await count();
    for (const [query, body, status, message] of REFUSED) {
      const [got, words] = await committed(target, query.replace('ID', c.id), body);
      assert.equal(got, status, query);
      assert.match(typeof words === 'string' ? words : '', message);
    }
    assert.equal(await count(), before);
  },
  'a container outlives its image, and can become one': async (target) => {
    const alone = archiveOf([{ name: 'own', data: 'own' }]);
    assert.equal((await target.docker(['import', '-', 'alone'], { input: alone })).code, 0);
    await using c = await create(target, 'true', { Image: 'alone' });
    assert.equal((await target.docker(['rmi', '-f', 'alone'])).code, 0);
    await put(target, `${c.path}/archive?path=/`, archiveOf([{ name: 'new', data: 'new' }]));
    const { code, stderr } = await target.docker(['commit', c.id, 'outlived']);
    // dockerd looks for the config that it has deleted.
    assert.equal(code, target.name === 'gantry' ? 0 : 1, stderr);
    if (code !== 0) return;
    await using again = await create(target, 'true', { Image: 'outlived' });
    const names = (await exported(target, again)).filter((line) => / (?:own|new) /.test(line));
    assert.deepEqual(names, ['file new 644 0:0 3', 'file own 644 0:0 3']);
    await again[Symbol.asyncDispose]();
    await target.api('DELETE', '/images/outlived?force=1');
  },
  'an image knows what it was committed on, which stays as long as it does': async (target) => {
    const commit = async (image: string, name: string) => {
      await using c = await create(target, 'true', { Image: image });
      await put(target, `${c.path}/archive?path=/`, archiveOf([{ name, data: name }]));
      const made = await target.api('POST', `/commit?container=${c.id}&repo=${name}`);
      return made.json<{ Id: string }>().Id;
    };
    const api = async <T>(method: string, path: string) => (await target.api(method, `/v1.41${path}`)).json<T>();
    const parentOf = async (image: string) => (await api<{ Parent: string }>('GET', `/images/${image}/json`)).Parent;
    const listed = async (all: number) =>
      (await api<{ Id: string }[]>('GET', `/images/json?all=${all}`)).map(({ Id }) => Id);
    const base = (await api<{ Id: string }>('GET', '/images/busybox/json')).Id;
    const [first, second] = [await commit('busybox', 'first'), await commit('first', 'second')];
    assert.deepEqual([await parentOf('first'), await parentOf('second'), await parentOf('busybox')], [base, first, '']);
    const summary = (await api<{ Id: string; ParentId: string }[]>('GET', '/images/json')).find(
      ({ Id }) => Id === second,
    );
    assert.equal(summary?.ParentId, first);
    const steps = await api<{ Id: string; Tags: string[] | null }[]>('GET', '/images/second/history');
    assert.deepEqual(
      steps.slice(0, 3).map(({ Id, Tags }) => [Id, Tags]),
      [
        [second, ['second:latest']],
        [first, ['first:latest']],
        [base, ['busybox:latest']],
      ],
    );
    const refused = await target.api('DELETE', `/images/${first}?force=1`);
    const short = first.slice('sha256:'.length).slice(0, 12);
    assert.deepEqual(
      [refused.status, refused.json()['message']],
      [409, `conflict: unable to delete ${short} (cannot be forced) - image has dependent child images`],
    );
    assert.deepEqual(await api('DELETE', '/images/first'), [{ Untagged: 'first:latest' }]);
    assert.deepEqual([(await listed(0)).includes(first), (await listed(1)).includes(first)], [false, true]);
    assert.deepEqual(await parentOf('second'), first);
    const gone = await api<Record<string, string>[]>('DELETE', '/images/second');
    const deleted = gone.flatMap(({ Deleted }) => Deleted ?? []);
    assert.ok(deleted.includes(second) && deleted.includes(first), deleted.join());
    assert.ok(!(await listed(1)).some((id) => id === first || id === second));
  },
});
