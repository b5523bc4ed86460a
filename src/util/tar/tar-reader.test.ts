import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { messageOf } from '../errors.ts';
import { nameBytes, nameText, type TarEntry } from './entry.ts';
import { checksum, padding } from './header.ts';
import { paxRecord } from './pax.ts';
import { archiveOf, entryOf, inPieces, type Member } from './tar-fixture.ts';
import { TarReader } from './tar-reader.ts';
import { encodeHeader, TAR_END } from './tar-writer.ts';

async function read(archive: Uint8Array, pieces = 1000): Promise<{ entry: TarEntry; data: Buffer }[]> {
  const reader = new TarReader(inPieces(archive, pieces));
  const found: { entry: TarEntry; data: Buffer }[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    found.push({ entry, data: await reader.readAll(1 << 20) });
  }
  return found;
}

/** A header block by hand: fields at their places, checksum right. */
function block(fields: Record<number, string | Buffer>): Buffer {
  const bytes = Buffer.alloc(512);
  for (const [at, value] of Object.entries(fields)) Buffer.from(value as string, 'latin1').copy(bytes, Number(at));
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

function special(typeflag: string, data: Buffer): Buffer {
  const size = data.length.toString(8).padStart(11, '0');
  return Buffer.concat([block({ 0: 'special', 124: size, 156: typeflag }), data, Buffer.alloc(padding(data.length))]);
}

const members: Member[] = [
  { name: 'plain', data: 'hello', mode: 0o4755, uid: 1000, gid: 100 },
  { name: 'n'.repeat(500), data: Buffer.alloc(70_000, 'x') },
  { name: nameBytes('grüße'), data: '' },
  { name: 'no-utf8-\xff\xfe', data: 'x'.repeat(512) },
  { name: 'dir/', type: 'directory', mode: 0o1777 },
  { name: 'symlink', type: 'symlink', linkName: `${'t'.repeat(200)}\xff` },
  { name: 'link', type: 'link', linkName: 'plain' },
  { name: 'fifo', type: 'fifo' },
  { name: 'char', type: 'char', devMajor: 4, devMinor: 64 },
  { name: 'big-ids', data: '', uid: 0o7777777 + 1, gid: 2 ** 31 },
  { name: 'before-1970', data: '', mtime: { seconds: -2, nanos: 500_000_000 } },
  { name: 'precise', data: '', mtime: { seconds: 1, nanos: 1 } },
  { name: 'far', data: '', mtime: { seconds: 2 ** 40, nanos: 0 } },
  {
    name: 'xattrs',
    data: 'x',
    xattrs: new Map([
      ['user.a', Buffer.from([0, 10, 61, 255])],
      ['user.empty', Buffer.alloc(0)],
    ]),
  },
];

for (const pieces of [13, 511, 512, 10_000, 1 << 20]) {
  test(`what the writer wrote the reader reads, in pieces of ${pieces}`, async () => {
    const found = await read(archiveOf(members), pieces);
    assert.equal(found.length, members.length);
    for (const [index, { entry, data }] of found.entries()) {
      const member = members[index] as Member;
      assert.deepEqual(entry, entryOf(member));
      assert.ok(data.equals(Buffer.from(member.data ?? '')), member.name);
    }
  });
}

test('data that nobody reads is skipped', async () => {
  const reader = new TarReader(inPieces(archiveOf(members), 700));
  let count = 0;
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    count++;
    if (entry.size > 10) await reader.data();
  }
  assert.equal(count, members.length);
});

test('the data of one member as a stream ends with it', async () => {
  const reader = new TarReader(
    inPieces(
      archiveOf([
        { name: 'a', data: 'x'.repeat(3000) },
        { name: 'b', data: 'y' },
      ]),
      700,
    ),
  );
  await reader.next();
  const parts: Buffer[] = [];
  for await (const part of reader.body()) parts.push(part);
  assert.equal(Buffer.concat(parts).toString(), 'x'.repeat(3000));
  assert.equal((await reader.next())?.name, 'b');
});

test('GNU tar agrees with what the writer wrote', () => {
  const listing = execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], {
    input: archiveOf(members),
    encoding: 'latin1',
  });
  assert.deepEqual(
    listing.trimEnd().split('\n'),
    members.map(({ name }) => name),
  );
});

test('long names of GNU headers, with and without the closing zero', async () => {
  const long = `${'a'.repeat(120)}/b`;
  const archive = Buffer.concat([
    special('L', Buffer.from(`${long}\0`)),
    special('K', Buffer.from('k'.repeat(130))),
    block({ 0: 'short', 124: '00000000000', 156: '2', 157: 'short' }),
    TAR_END,
  ]);
  const [found] = await read(archive);
  assert.deepEqual([found?.entry.name, found?.entry.linkName], [long, 'k'.repeat(130)]);
});

test('numbers in base 256, also negative', async () => {
  const size = Buffer.alloc(12);
  size.writeUInt8(0x80, 0);
  size.writeUInt32BE(5, 8);
  const mtime = Buffer.alloc(12, 0xff);
  const uid = Buffer.alloc(8);
  uid.writeUInt8(0x80, 0);
  uid.writeUInt32BE(4_000_000_000, 4);
  const archive = Buffer.concat([
    block({ 0: 'f', 108: uid, 124: size, 136: mtime, 156: '0', 257: 'ustar  \0' }),
    Buffer.from('12345'.padEnd(512, '\0')),
  ]);
  const [found] = await read(archive);
  assert.equal(found?.data.toString(), '12345');
  assert.equal(found?.entry.uid, 4_000_000_000);
  assert.deepEqual(found?.entry.mtime, { seconds: -1, nanos: 0 });
});

test('the prefix of a ustar name counts, the same bytes of a GNU header do not', async () => {
  const size = { 124: '00000000000', 156: '0' };
  const [ustar] = await read(block({ 0: 'name', ...size, 257: 'ustar\x0000', 345: 'some/prefix' }));
  const [gnu] = await read(block({ 0: 'name', ...size, 257: 'ustar  \0', 345: '14000000000' }));
  const [star] = await read(
    block({ 0: 'name', ...size, 257: 'ustar\x0000', 345: 'p', 476: '00000000001 ', 508: 'tar\0' }),
  );
  assert.deepEqual([ustar?.entry.name, gnu?.entry.name, star?.entry.name], ['some/prefix/name', 'name', 'p/name']);
});

test('a version 7 file with a slash at its end is a directory', async () => {
  const [found] = await read(block({ 0: 'd/', 124: '00000000000', 156: '\0' }));
  assert.equal(found?.entry.type, 'directory');
});

test('global records say nothing of members, as in Docker', async () => {
  const records = [paxRecord('mtime', '7.5'), paxRecord('path', 'evil'), paxRecord('size', '100000')];
  const file = encodeHeader(entryOf({ name: 'a', data: '' }));
  const [, found] = await read(Buffer.concat([file, special('g', Buffer.concat(records)), file, TAR_END]));
  assert.deepEqual(found?.entry, entryOf({ name: 'a' }));
});

test('attributes as libarchive writes them', async () => {
  const records = special('x', paxRecord('LIBARCHIVE.xattr.user.a%3Db', Buffer.from('AAH/').toString()));
  const [found] = await read(Buffer.concat([records, encodeHeader(entryOf({ name: 'a' }))]));
  assert.deepEqual(found?.entry.xattrs, new Map([['user.a=b', Buffer.from([0, 1, 255])]]));
});

test('size and path of the records win over the header', async () => {
  const records = special(
    'x',
    Buffer.concat([paxRecord('size', '3'), paxRecord('path', 'long'), paxRecord('uid', '77')]),
  );
  const archive = Buffer.concat([
    records,
    encodeHeader(entryOf({ name: 'short' })),
    Buffer.from('abc'.padEnd(512, '\0')),
  ]);
  const [found] = await read(archive);
  assert.deepEqual([found?.entry.name, found?.entry.uid, found?.data.toString()], ['long', 77, 'abc']);
});

test('sizes beyond 8 GiB, in base 256 and in records', async () => {
  const large = 2 ** 33 + 12_345;
  const based = Buffer.alloc(12);
  based.writeUInt8(0x80, 0);
  based.writeBigUInt64BE(BigInt(large), 4);
  const headers = [
    block({ 0: 'f', 124: based, 156: '0', 257: 'ustar  \0' }),
    encodeHeader({ ...entryOf({ name: 'f' }), size: large }),
  ];
  for (const header of headers) assert.equal((await new TarReader(inPieces(header, 512)).next())?.size, large);
});

test('a link with a size has no data', async () => {
  const [first, second] = await read(
    Buffer.concat([block({ 0: 'l', 124: '00000001000', 156: '1', 157: 'x' }), encodeHeader(entryOf({ name: 'next' }))]),
  );
  assert.deepEqual([first?.entry.size, second?.entry.name], [0, 'next']);
});

test('an archive may end with two blocks of zeros, with one, or with none', async () => {
  const one = archiveOf([{ name: 'a', data: 'x' }]);
  for (const cut of [0, 512, 1024]) assert.equal((await read(one.subarray(0, one.length - cut))).length, 1);
  assert.deepEqual(await read(Buffer.alloc(0)), []);
});

const good = archiveOf([{ name: 'a', data: 'x'.repeat(1000) }]);
const spoilt = Buffer.from(good);
spoilt[0] = 'b'.charCodeAt(0);
const broken: Record<string, [Buffer, RegExp]> = {
  'a wrong checksum': [spoilt, /invalid tar header/],
  'no archive at all': [Buffer.alloc(1024, 'text '), /invalid tar header/],
  'an end within a header': [good.subarray(0, 300), /unexpected EOF/],
  'an end within the data': [good.subarray(0, 1000), /unexpected EOF/],
  'a zero block and then something': [Buffer.concat([Buffer.alloc(512), good]), /invalid tar header/],
  'a record without end': [Buffer.concat([special('x', Buffer.from('99 path=a\n')), good]), /invalid tar header/],
  'a record without length': [Buffer.concat([special('x', Buffer.from('path=a\n')), good]), /invalid tar header/],
  'a name with a zero': [Buffer.concat([special('x', paxRecord('path', 'a\0b')), good]), /invalid tar header/],
  'a size below zero': [Buffer.concat([special('x', paxRecord('size', '-5')), good]), /invalid tar header/],
  'a size that no number holds': [
    Buffer.concat([special('x', paxRecord('size', '9'.repeat(30))), good]),
    /invalid tar header/,
  ],
  'a size below zero in base 256': [block({ 0: 'x', 124: Buffer.alloc(12, 0xff), 156: '0' }), /invalid tar header/],
  'a size beyond any file in base 256': [
    block({ 0: 'x', 124: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]), 156: '0' }),
    /invalid tar header/,
  ],
  'an owner below zero': [Buffer.concat([special('x', paxRecord('uid', '-1')), good]), /invalid tar header/],
  'a record that counts itself only': [Buffer.concat([special('x', Buffer.from('2 ')), good]), /invalid tar header/],
  'a map of more holes than there may be': [
    Buffer.concat([
      special('x', Buffer.concat([paxRecord('GNU.sparse.major', '1'), paxRecord('GNU.sparse.realsize', '9')])),
      encodeHeader(entryOf({ name: 'a', size: 512 })),
      Buffer.from('9999999\n'.padEnd(512, '\0')),
    ]),
    /invalid tar header/,
  ],
  'a time of no kind': [Buffer.concat([special('x', paxRecord('mtime', '1e9')), good]), /invalid tar header/],
  'an extended header of 2 MiB': [
    block({ 0: 'x', 124: (2 << 20).toString(8).padStart(11, '0'), 156: 'x' }),
    /too long/,
  ],
  'digits that are none': [block({ 0: 'x', 124: '0000000000z', 156: '0' }), /invalid tar header/],
  'an unknown type': [block({ 0: 'x', 124: '00000000000', 156: 'V' }), /unhandled tar header type 86/],
};
for (const [what, [archive, words]] of Object.entries(broken)) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(read(archive), (error) => {
      assert.match(messageOf(error), words);
      return true;
    });
  });
}

test('a map of holes that does not fit the file is refused', async () => {
  const sparse = (map: string, realSize: string, data: string) =>
    Buffer.concat([
      special('x', Buffer.concat([paxRecord('GNU.sparse.size', realSize), paxRecord('GNU.sparse.map', map)])),
      encodeHeader(entryOf({ name: 'a', data })),
      Buffer.from(data.padEnd(512, '\0')),
    ]);
  const [found] = await read(sparse('10,3,20,2', '30', 'abcde'));
  assert.deepEqual(found?.entry.sparse?.segments, [
    { offset: 10, length: 3 },
    { offset: 20, length: 2 },
  ]);
  for (const [map, size] of [
    ['10,3,20,2', '21'],
    ['20,3,10,2', '30'],
    ['10,3', '30'],
    ['10', '30'],
    ['0,-1,5,6', '30'],
  ] as const) {
    await assert.rejects(read(sparse(map, size, 'abcde')), /invalid tar header/, map);
  }
});

test('a map of more holes than memory should be spent on is refused', async () => {
  const map = `70000\n${Array.from({ length: 70_000 }, (_, i) => `${2 * i}\n1\n`).join('')}`;
  const data = map.padEnd(Math.ceil(map.length / 512) * 512, '\0') + 'x'.repeat(70_000);
  const records = ['major', '1', 'minor', '0', 'realsize', '140000'];
  const pax = [0, 2, 4].map((i) => paxRecord(`GNU.sparse.${records[i]}`, records[i + 1] ?? ''));
  const archive = [special('x', Buffer.concat(pax)), encodeHeader(entryOf({ name: 'a', data })), Buffer.from(data)];
  await assert.rejects(read(Buffer.concat(archive)), /invalid tar header/);
});

test('names are shown as text, bytes that are none as replacement characters', () => {
  assert.equal(nameText(nameBytes('ünï')), 'ünï');
  assert.equal(nameText('a\xff'), 'a\ufffd');
});
