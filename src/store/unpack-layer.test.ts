import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../util/digest.ts';
import { nameBytes } from '../util/tar/entry.ts';
import { archiveOf, inPieces, type Member, seeded, snapshot } from '../util/tar/tar-fixture.ts';
import { compareLayer } from './compare-layer.ts';
import { unpackLayer } from './unpack-layer.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: owners, devices, trusted attributes';
const root = mkdtempSync(join(tmpdir(), 'gantry-unpack-'));
after(() => rmSync(root, { recursive: true }));

test('a directory that is gone is not told as a tar that is not there', { skip }, async () => {
  const archive = archiveOf([{ name: 'a', data: 'x' }]);
  const gone = join(root, 'gone');
  const error = { kind: 'internal', message: `the directory ${gone} is gone` };
  await assert.rejects(unpackLayer(inPieces(archive, 512), gone, digestOf(archive)), error);
  await assert.rejects(compareLayer(inPieces(archive, 512), gone, new AbortController().signal), error);
});

let made = 0;
function freshDir(): string {
  const dir = join(root, String(made++));
  mkdirSync(dir);
  return dir;
}

async function unpack(archive: Uint8Array, pieces = 65536): Promise<{ dir: string; size: number; opaque: boolean }> {
  const dir = freshDir();
  const { size, opaque, diffId } = await unpackLayer(inPieces(archive, pieces), dir, digestOf(archive));
  assert.match(diffId, /^sha256:/);
  return { dir, size, opaque };
}

function byTar(archive: Uint8Array): string {
  const dir = freshDir();
  const options = [
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-p',
    '--delay-directory-restore',
    '--warning=no-timestamp',
  ];
  execFileSync('tar', ['-C', dir, '-x', ...options, '-f', '-'], {
    input: archive,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  return dir;
}

/** A random tree: every kind of file, odd names, all attributes. */
function randomMembers(seed: number): Member[] {
  const below = seeded(seed);
  const pick = <T>(...options: T[]): T => options[below(options.length)] as T;
  const dirs = [''];
  const files: string[] = [];
  const members: Member[] = [{ name: './', type: 'directory', mode: 0o755 }];
  const common = () => ({
    mode: pick(0o644, 0o755, 0o4755, 0o2711, 0o1777, 0o600, 0, 0o6777),
    uid: pick(0, 1, 1000, 65534, 3_000_000),
    gid: pick(0, 5, 1000, 2_500_000),
    mtime: { seconds: pick(0, 1, 1_600_000_000, 2 ** 33, -1_000_000), nanos: pick(0, 0, 1, 123_456_789, 999_999_999) },
    xattrs: new Map(
      below(4) === 0
        ? [
            ['user.note', Buffer.from([0, 1, 255, 10, 61])],
            ['trusted.thing', Buffer.from('a\nb')],
          ]
        : [],
    ),
  });
  for (let i = 0; i < 120; i++) {
    const odd = pick(
      'plain',
      'with space',
      nameBytes('grüße-漢字'),
      '\xff\xfe',
      'x'.repeat(150),
      "q'uote\n",
      '-dash',
      '*',
    );
    const name = `${pick(...dirs)}${odd}${i}`;
    const xattrless = { ...common(), xattrs: new Map() };
    const kind = below(10);
    if (kind < 3) {
      dirs.push(`${name}/`);
      members.push({ ...common(), name: `${name}/`, type: 'directory', mode: pick(0o755, 0o700, 0o2775, 0o1777) });
    } else if (kind < 6 || files.length === 0) {
      files.push(name);
      const length = pick(0, 1, 511, 512, 513, 100_000);
      members.push({ ...common(), name, data: Buffer.alloc(length, `${i}`) });
    } else if (kind === 6) members.push({ name, type: 'link', linkName: pick(...files) });
    else if (kind === 7) {
      const linkName = pick('/etc/passwd', '../../../x', 'plain', 'a/b/c', '/', 'y'.repeat(300), nameBytes('ü'));
      members.push({ ...xattrless, name, type: 'symlink', linkName, mode: 0o777 });
    } else if (kind === 8) members.push({ ...xattrless, name, type: 'fifo' });
    else members.push({ ...xattrless, name, type: pick('char', 'block'), devMajor: 1, devMinor: 1 + below(300) });
  }
  return members;
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`a random tree is unpacked as GNU tar unpacks it (seed ${seed})`, { skip }, async () => {
    const archive = archiveOf(randomMembers(seed));
    const expected = snapshot(byTar(archive));
    const { dir } = await unpack(archive, 700 + (seed % 3) * 40_000);
    assert.ok(snapshot(dir).equals(expected), `${dir} differs`);
  });
}

for (const format of ['gnu', 'posix', 'oldgnu'] as const) {
  test(`a tree that GNU tar wrote as ${format} comes back the same`, { skip }, async () => {
    const source = byTar(archiveOf(randomMembers(77)));
    // What the older formats cannot say is compared after they have lost it.
    const archive = execFileSync(
      'tar',
      ['-C', source, `--format=${format}`, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-cf', '-', '.'].filter(
        (option) => format === 'posix' || !option.startsWith('--xattrs'),
      ),
      { maxBuffer: 1 << 28 },
    );
    const { dir } = await unpack(archive);
    assert.ok(snapshot(dir).equals(snapshot(byTar(archive))));
  });
}

for (const [how, options] of Object.entries({
  'GNU headers': ['--format=gnu'],
  'PAX 0.0': ['--format=posix', '--sparse-version=0.0'],
  'PAX 0.1': ['--format=posix', '--sparse-version=0.1'],
  'PAX 1.0': ['--format=posix', '--sparse-version=1.0'],
})) {
  test(`holes stay holes: ${how}`, { skip }, async () => {
    const source = freshDir();
    const path = join(source, 'a-file-with-holes');
    // 40 runs of data: more than a GNU header and its first extension hold.
    for (let i = 0; i < 40; i++) {
      execFileSync('dd', [
        'bs=4096',
        'count=1',
        `seek=${i * 100}`,
        'conv=notrunc',
        `of=${path}`,
        'status=none',
        'if=/dev/urandom',
      ]);
    }
    execFileSync('truncate', ['-s', '30000001', path]);
    const archive = execFileSync('tar', ['-C', source, '-S', ...options, '-cf', '-', '.'], { maxBuffer: 1 << 26 });
    assert.ok(archive.length < 1_000_000, 'the fixture has no holes');
    const { dir, size } = await unpack(archive);
    const copy = join(dir, 'a-file-with-holes');
    assert.equal(size, 30_000_001);
    assert.ok(readFileSync(copy).equals(readFileSync(path)));
    assert.ok(statSync(copy).blocks * 512 < 1_000_000, 'holes were filled');
  });
}

test('a hole at the end of a file is part of it, whether or not the map ends with an empty run', { skip }, async () => {
  const segments = [{ offset: 0, length: 3 }];
  const { dir, size } = await unpack(
    archiveOf([{ name: 'f', data: 'abc', size: 3, sparse: { realSize: 2 ** 33 + 1, segments } }]),
  );
  const file = statSync(join(dir, 'f'));
  assert.deepEqual([size, file.size], [2 ** 33 + 1, 2 ** 33 + 1]);
  assert.ok(file.blocks < 100, 'the hole was filled');
});

for (const [codec, compress] of Object.entries<(plain: Buffer) => Buffer>({
  gzip: gzipSync,
  'gzip in two members': (plain) => Buffer.concat([gzipSync(plain.subarray(0, 700)), gzipSync(plain.subarray(700))]),
  zstd: (plain) => zstdCompressSync(plain),
  bzip2: (plain) => execFileSync('bzip2', ['-c'], { input: plain }),
  xz: (plain) => execFileSync('xz', ['-c'], { input: plain }),
})) {
  test(`the diff id is that of the plain archive: ${codec}`, { skip }, async () => {
    const plain = archiveOf([{ name: 'a', data: 'hello' }]);
    const dir = freshDir();
    const compressed = compress(plain);
    const { diffId } = await unpackLayer(inPieces(compressed, 100), dir, digestOf(compressed));
    assert.equal(diffId, `sha256:${createHash('sha256').update(plain).digest('hex')}`);
    assert.equal(readFileSync(join(dir, 'a'), 'utf8'), 'hello');
  });
}

test('a layer that is compressed twice is none', { skip }, async () => {
  const packed = gzipSync(gzipSync(archiveOf([{ name: 'a', data: 'x' }])));
  const dir = freshDir();
  await assert.rejects(unpackLayer(inPieces(packed, 100), dir, digestOf(packed)), { kind: 'invalid' });
  assert.deepEqual(readdirSync(dir), []);
});

test('bytes after the end of the archive count for the diff id', { skip }, async () => {
  const plain = Buffer.concat([archiveOf([{ name: 'a', data: 'x' }]), Buffer.alloc(10240), Buffer.from('tail')]);
  const packed = gzipSync(plain);
  const { diffId } = await unpackLayer(inPieces(packed, 100), freshDir(), digestOf(packed));
  assert.equal(diffId, digestOf(plain));
});

test('whiteouts become 0/0 devices, opaque markers an attribute', { skip }, async () => {
  const { dir } = await unpack(
    archiveOf([
      { name: 'd/', type: 'directory', mode: 0o750, uid: 7 },
      { name: 'd/.wh.gone' },
      { name: 'd/.wh..wh..opq' },
      { name: 'late/.wh..wh..opq' },
      { name: 'late/', type: 'directory', mode: 0o700, uid: 8 },
      { name: '.wh..wh.aufs' },
      { name: '.wh..wh.plnk/1.2', data: 'aufs' },
    ]),
  );
  assert.deepEqual(readdirSync(dir).sort(), ['d', 'late']);
  assert.deepEqual(readdirSync(join(dir, 'd')), ['gone']);
  const device = lstatSync(join(dir, 'd/gone'));
  assert.ok(device.isCharacterDevice());
  assert.equal(device.rdev, 0);
  const text = snapshot(dir).toString('latin1');
  assert.equal(text.split('SCHILY.xattr.trusted.overlay.opaque=y\n').length - 1, 2);
  assert.equal(lstatSync(join(dir, 'd')).mode & 0o7777, 0o750);
  assert.equal(lstatSync(join(dir, 'late')).uid, 8);
});

test('a whiteout beside an entry of the same layer hides lower layers only', { skip }, async () => {
  const members: Member[] = [
    { name: '.wh.file' },
    { name: 'file', data: 'mine' },
    { name: 'file2', data: 'mine too' },
    { name: '.wh.file2' },
    { name: '.wh.dir' },
    { name: 'dir/inside', data: 'x' },
    { name: 'dir2/inside', data: 'x' },
    { name: '.wh.dir2' },
  ];
  const { dir } = await unpack(archiveOf(members));
  assert.equal(readFileSync(join(dir, 'file'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(dir, 'file2'), 'utf8'), 'mine too');
  assert.deepEqual([readdirSync(join(dir, 'dir')), readdirSync(join(dir, 'dir2'))], [['inside'], ['inside']]);
  assert.equal(snapshot(dir).toString('latin1').split('trusted.overlay.opaque=y').length - 1, 2);
});

test('a whiteout within an opaque directory hides nothing, and is left out', { skip }, async () => {
  const { dir } = await unpack(
    archiveOf([
      { name: 'd/.wh..wh..opq' },
      { name: 'd/.wh.gone' },
      { name: 'd/e/.wh.too' },
      { name: 'other/.wh.gone' },
    ]),
  );
  assert.deepEqual(
    new Set(readdirSync(dir, { recursive: true, encoding: 'utf8' })),
    new Set(['d', 'd/e', 'other', 'other/gone']),
  );
});

test('an opaque root is told, because overlayfs would not look', { skip }, async () => {
  assert.equal((await unpack(archiveOf([{ name: '.wh..wh..opq' }, { name: 'a' }]))).opaque, true);
  assert.equal((await unpack(archiveOf([{ name: 'a' }]))).opaque, false);
});

test('attributes that only the engine may set are dropped, others kept', { skip }, async () => {
  const xattrs = new Map([
    ['trusted.overlay.opaque', Buffer.from('y')],
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['user.overlay.whiteout', Buffer.from('y')],
    ['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')],
  ]);
  const { dir } = await unpack(
    archiveOf([
      { name: 'd/', type: 'directory', xattrs },
      { name: 'd/f', data: 'x', uid: 9, xattrs },
    ]),
  );
  const text = snapshot(dir).toString('latin1');
  assert.equal(text.includes('overlay'), false);
  assert.ok(text.includes('SCHILY.xattr.security.capability='), 'a capability is lost when the owner is set after it');
});

test('names of attributes come out as they came in, also those that GNU tar would decode', { skip }, async () => {
  const names = ['user.plain', 'user.50%', 'user.a%3Db', 'user.%2525'];
  const xattrs = new Map(names.map((name) => [name, Buffer.from(name)]));
  const { dir } = await unpack(archiveOf([{ name: 'f', data: '', xattrs }]));
  const listed = execFileSync('tar', ['-C', dir, '--xattrs', '--xattrs-include=*', '-c', 'f']).toString('latin1');
  // Written by GNU tar, which encodes what it reads from the file.
  const found = new Map([...listed.matchAll(/SCHILY\.xattr\.(.*?)=(.*)\n/g)].map(([, key, value]) => [key, value]));
  assert.deepEqual(found, new Map(names.map((name) => [name.replaceAll('%', '%25').replaceAll('=', '%3D'), name])));
});

test('of two entries with the same path the last one wins, whatever they are', { skip }, async () => {
  const kinds: Record<string, Member> = {
    file: { name: 'p', data: 'file' },
    dir: { name: 'p', type: 'directory', mode: 0o711 },
    symlink: { name: 'p', type: 'symlink', linkName: '/etc' },
    fifo: { name: 'p', type: 'fifo' },
    char: { name: 'p', type: 'char', devMajor: 1, devMinor: 3 },
    link: { name: 'p', type: 'link', linkName: 'other' },
  };
  for (const [a, first] of Object.entries(kinds)) {
    for (const [b, second] of Object.entries(kinds)) {
      const below: Member[] = a === 'dir' ? [{ name: 'p/q/r', data: 'below' }] : [];
      const other: Member = { name: 'other', data: 'other' };
      const top: Member = { name: './', type: 'directory', mode: 0o755 };
      const { dir } = await unpack(archiveOf([top, other, first, ...below, second, { name: 'z', data: 'after' }]));
      const both = a === 'dir' && b === 'dir' ? below : [];
      const alone = await unpack(archiveOf([top, other, second, ...both, { name: 'z', data: 'after' }]));
      if (both.length > 0) assert.deepEqual(readdirSync(join(dir, 'p')), ['q']);
      else assert.ok(snapshot(dir).equals(snapshot(alone.dir)), `${a} then ${b}`);
    }
  }
});

test('the directory a file replaces may be gone, the times of others stay', { skip }, async () => {
  const { dir } = await unpack(
    archiveOf([
      { name: 'a/', type: 'directory', mtime: { seconds: 1000, nanos: 5 } },
      { name: 'a/b/c', data: 'x' },
      { name: 'a/b', data: 'now a file' },
      { name: 'a/d', data: 'y' },
    ]),
  );
  assert.equal(statSync(join(dir, 'a'), { bigint: true }).mtimeNs, 1_000_000_000_005n);
  assert.equal(readFileSync(join(dir, 'a/b'), 'utf8'), 'now a file');
});

test('an archive without entries for its directories gets them alike every time', { skip }, async () => {
  const archive = archiveOf([
    { name: './', type: 'directory' },
    { name: 'usr/share/doc/x', data: 'x' },
  ]);
  const [one, two] = [await unpack(archive), await unpack(archive)];
  assert.equal(statSync(join(one.dir, 'usr/share')).mode & 0o7777, 0o755);
  assert.ok(snapshot(one.dir).equals(snapshot(two.dir)));
});

test('a link to a file of this layer through a symlinked directory is followed inside the layer', {
  skip,
}, async () => {
  writeFileSync(join(root, 'outside'), 'outside');
  const { dir } = await unpack(
    archiveOf([
      { name: 'real/f', data: 'real' },
      { name: 'alias', type: 'symlink', linkName: '/real' },
      { name: 'up', type: 'symlink', linkName: '../../../../real' },
      { name: 'hard', type: 'link', linkName: 'alias/f' },
      { name: 'alias/g', data: 'through' },
      { name: 'up/h', data: 'from above' },
    ]),
  );
  assert.deepEqual(readdirSync(join(dir, 'real')).sort(), ['f', 'g', 'h']);
  assert.equal(readFileSync(join(dir, 'hard'), 'utf8'), 'real');
  assert.equal(statSync(join(dir, 'hard')).nlink, 2);
});
