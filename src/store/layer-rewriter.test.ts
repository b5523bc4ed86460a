import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf } from '../util/digest.ts';
import { kindOf, messageOf } from '../util/errors.ts';
import type { TarEntry } from '../util/tar/entry.ts';
import { archiveOf, inPieces, type Member } from '../util/tar/tar-fixture.ts';
import { TarReader } from '../util/tar/tar-reader.ts';
import { TAR_END } from '../util/tar/tar-writer.ts';
import { rewriteLayer } from './layer-rewriter.ts';
import { unpackLayer } from './unpack-layer.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: owners and devices';
const root = mkdtempSync(join(tmpdir(), 'gantry-hostile-'));
after(() => rmSync(root, { recursive: true }));

/** What the rewriter lets through, read back. */
async function rewritten(members: readonly Member[] | Buffer): Promise<TarEntry[]> {
  const archive = Buffer.isBuffer(members) ? members : archiveOf(members);
  const out: Buffer[] = [];
  const removed: string[] = [];
  const sink = {
    write: (piece: Buffer) => void out.push(Buffer.from(piece)),
    remove: async (path: string) => void removed.push(path),
  };
  await rewriteLayer(new TarReader(inPieces(archive, 1000)), sink);
  const reader = new TarReader(inPieces(Buffer.concat(out), 100_000));
  const entries: TarEntry[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) entries.push(entry);
  return entries;
}

const names = async (members: readonly Member[]): Promise<string[]> =>
  (await rewritten(members)).map(({ name }) => name);

const refused: Record<string, [Member[], RegExp]> = {
  'a name that leads out': [[{ name: '../../etc/passwd' }], /"..\/..\/etc\/passwd" is outside of the layer/],
  'a name that leads out on the way': [[{ name: 'a/../../etc/passwd' }], /is outside of the layer/],
  'two dots alone': [[{ name: '..' }], /is outside of the layer/],
  'an absolute name that leads out': [[{ name: '/../etc/passwd' }], /is outside of the layer/],
  'a hard link that leads out': [
    [{ name: 'x', type: 'link', linkName: '../../../etc/shadow' }],
    /outside of the layer/,
  ],
  'a hard link to a file of the host': [
    [{ name: 'x', type: 'link', linkName: '/etc/shadow' }],
    /^link \/etc\/shadow \/x: no such file/,
  ],
  'a hard link through a symbolic link to the host': [
    [
      { name: 'l', type: 'symlink', linkName: '/etc' },
      { name: 'x', type: 'link', linkName: 'l/shadow' },
    ],
    /^link \/l\/shadow \/x: no such file/,
  ],
  'a hard link to a directory': [
    [
      { name: 'd/', type: 'directory' },
      { name: 'x', type: 'link', linkName: 'd' },
    ],
    /operation not permitted/,
  ],
  'a hard link to a file that comes later': [
    [
      { name: 'x', type: 'link', linkName: 'y' },
      { name: 'y', data: '' },
    ],
    /^link \/y \/x: no such file or directory/,
  ],
  'a hard link to what the layer removes': [
    [{ name: '.wh.y' }, { name: 'x', type: 'link', linkName: 'y' }],
    /no such file/,
  ],
  'a hard link in place of the directory that its file is in': [
    [
      { name: 'a/f', data: 'x' },
      { name: 'a', type: 'link', linkName: 'a/f' },
    ],
    /^link \/a\/f \/a: no such file or directory/,
  ],
  'a whiteout of nothing': [[{ name: 'd/.wh.' }], /invalid whiteout name: ".wh."/],
  'a whiteout of the directory itself': [[{ name: 'd/.wh..' }], /invalid whiteout name: ".wh.."/],
  'a whiteout of the parent': [[{ name: 'd/.wh...' }], /invalid whiteout name: ".wh..."/],
  'a file below a whiteout': [[{ name: '.wh.d/x' }], /invalid whiteout/],
  'a file below a file': [[{ name: 'f', data: '' }, { name: 'f/x' }], /not a directory/],
  'a file in place of the root': [[{ name: './', data: 'x' }], /invalid name/],
  'symbolic links in a circle': [
    [{ name: 'a', type: 'symlink', linkName: 'b' }, { name: 'b', type: 'symlink', linkName: 'a' }, { name: 'a/x' }],
    /too many levels of symbolic links/,
  ],
  'a part too long for any file system': [[{ name: `d/${'x'.repeat(256)}` }], /file name too long/],
  'a path too long': [[{ name: 'abcdefg/'.repeat(600) }], /file name too long/],
  'a path too deep': [[{ name: 'a/'.repeat(1500) }], /file name too long/],
  'a symbolic link to nowhere': [[{ name: 'x', type: 'symlink', linkName: '' }], /no such file or directory/],
};

for (const [what, [members, words]] of Object.entries(refused)) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(rewritten(members), (error) => {
      assert.match(messageOf(error), words);
      assert.equal(kindOf(error), 'invalid');
      return true;
    });
  });
}

test('a socket, or any type nobody knows, is refused', async () => {
  const archive = archiveOf([{ name: 'a', data: '' }]);
  archive[156] = 's'.charCodeAt(0);
  const sum = archive.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  await assert.rejects(rewritten(archive), /unhandled tar header type 115/);
});

/** An archive of many members that is never in memory as a whole. */
async function* endless(member: (at: number) => Member): AsyncGenerator<Buffer> {
  for (let at = 0; ; at++) yield archiveOf([member(at)]).subarray(0, -TAR_END.length);
}

const filling: Record<string, (at: number) => Member> = {
  'deep paths that nobody lists': (at) => ({ name: `${at}/${'abc/'.repeat(990)}f` }),
  'attributes of directories': (at) => ({
    name: `${at}/`,
    type: 'directory',
    xattrs: new Map([['user.a', Buffer.alloc(1_000_000, 'x')]]),
  }),
};
for (const [what, member] of Object.entries(filling)) {
  test(`the memory is not filled by ${what}`, async () => {
    const nowhere = { write: () => undefined, remove: async () => {} };
    await assert.rejects(rewriteLayer(new TarReader(endless(member)), nowhere), /the layer has too many entries/);
  });
}

test('names come out relative and plain', async () => {
  assert.deepEqual(await names([{ name: '/etc//./passwd' }, { name: './a' }, { name: '//b/', type: 'directory' }]), [
    'etc/',
    'etc/passwd',
    'a',
    'b/',
  ]);
});

test('no name leads through a symbolic link of the archive', async () => {
  const out = await names([
    { name: 'in', type: 'symlink', linkName: '/' },
    { name: 'far', type: 'symlink', linkName: 'in/../../in/root/.ssh' },
    { name: 'in/etc/cron.d/job', data: 'x' },
    { name: 'far/authorized_keys', data: 'x' },
  ]);
  assert.deepEqual(out, [
    'in',
    'far',
    'etc/',
    'etc/cron.d/',
    'etc/cron.d/job',
    'root/',
    'root/.ssh/',
    'root/.ssh/authorized_keys',
  ]);
});

test('a symbolic link that takes the place of a directory does not lead what follows astray', async () => {
  const out = await names([
    { name: 'd/', type: 'directory' },
    { name: 'd/x', data: '' },
    { name: 'd', type: 'symlink', linkName: '/tmp' },
    { name: 'd/y', data: '' },
  ]);
  assert.equal(out.at(-1), 'tmp/y');
});

test('a hard link to a symbolic link is known as one', async () => {
  const out = await names([
    { name: 's', type: 'symlink', linkName: '/out' },
    { name: 'h', type: 'link', linkName: 's' },
    { name: 'h/x', data: '' },
  ]);
  assert.deepEqual(out, ['s', 'h', 'out/', 'out/x']);
});

test('devices stay', async () => {
  const [device] = await rewritten([{ name: 'dev-null', type: 'char', devMajor: 1, devMinor: 3, mode: 0o666 }]);
  assert.deepEqual([device?.type, device?.devMajor, device?.devMinor, device?.mode], ['char', 1, 3, 0o666]);
});

test('nothing is written outside, whatever an archive tries', { skip }, async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'keep'), 'keep');
  const tries: Member[][] = [
    [
      { name: 'l', type: 'symlink', linkName: outside },
      { name: 'l/evil', data: 'x' },
    ],
    [
      { name: 'l', type: 'symlink', linkName: '../outside' },
      { name: 'l/evil', data: 'x' },
    ],
    [
      { name: 'l', type: 'symlink', linkName: outside },
      { name: 'l/', type: 'directory' },
      { name: 'l/evil', data: 'x' },
    ],
    [{ name: 'l', type: 'symlink', linkName: outside }, { name: 'l/.wh.keep' }, { name: 'l/.wh..wh..opq' }],
    [
      { name: 'l', type: 'symlink', linkName: join(outside, 'keep') },
      { name: 'l', data: 'overwritten' },
    ],
    [
      { name: 'l', type: 'symlink', linkName: join(outside, 'keep') },
      { name: 'h', type: 'link', linkName: 'l' },
      { name: 'h', data: 'overwritten' },
    ],
    [
      { name: 'a/', type: 'directory' },
      { name: 'a/b', type: 'symlink', linkName: '..' },
      { name: 'a/b/c', type: 'symlink', linkName: '../outside' },
      { name: 'a/b/c/evil', data: 'x' },
    ],
    [
      { name: 'l', type: 'symlink', linkName: outside },
      { name: 'l', type: 'link', linkName: 'l/keep' },
    ],
    [{ name: `${outside}/evil`, data: 'x' }],
    [{ name: '../outside/evil', data: 'x' }],
    [
      { name: 'd/x', data: '' },
      { name: 'd', type: 'symlink', linkName: outside },
      { name: 'd/evil', data: 'x' },
    ],
    [
      { name: 'l', type: 'symlink', linkName: outside },
      { name: 'l', type: 'symlink', linkName: '.' },
      { name: 'l/l', type: 'symlink', linkName: outside },
      { name: 'l/evil', data: 'x' },
    ],
  ];
  for (const [index, members] of tries.entries()) {
    const dir = join(root, `try-${index}`);
    mkdirSync(dir);
    const archive = archiveOf(members);
    await unpackLayer(inPieces(archive, 4096), dir, digestOf(archive)).catch((error: unknown) => {
      assert.equal(kindOf(error), 'invalid', messageOf(error));
    });
    assert.deepEqual(readdirSync(outside), ['keep'], `try ${index}`);
    assert.equal(readFileSync(join(outside, 'keep'), 'utf8'), 'keep', `try ${index}`);
  }
  assert.equal(existsSync(join(root, 'evil')), false);
});
