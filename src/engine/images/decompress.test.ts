import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress } from './decompress.ts';

const plain = Buffer.concat([Buffer.from('plain'), randomBytes(300_000)]);
const { signal } = new AbortController();
const tool = (name: string): Buffer => spawnSync(name, ['-c'], { input: plain, maxBuffer: 1 << 24 }).stdout;
const open = async (bytes: Buffer): Promise<Buffer> => buffer(await decompress(Readable.from([bytes]), signal));

test('every codec is recognised by its magic', async () => {
  const forms = { plain, gzip: gzipSync(plain), zstd: zstdCompressSync(plain), bzip2: tool('bzip2'), xz: tool('xz') };
  for (const [name, bytes] of Object.entries(forms)) assert.ok((await open(bytes)).equals(plain), name);
});

test('several gzip members are one stream; short and empty input passes', async () => {
  assert.equal((await open(Buffer.concat([gzipSync('a'), gzipSync('b')]))).toString(), 'ab');
  assert.equal((await open(Buffer.from('x'))).toString(), 'x');
  assert.equal((await open(Buffer.alloc(0))).length, 0);
});

test('a head in pieces is put together', async () => {
  const pieces = [...gzipSync('hello')].map((byte) => Buffer.from([byte]));
  assert.equal((await buffer(await decompress(Readable.from(pieces), signal))).toString(), 'hello');
});

test('damaged and cut data fails', async () => {
  for (const bytes of [gzipSync(plain), zstdCompressSync(plain), tool('bzip2'), tool('xz')]) {
    await assert.rejects(open(bytes.subarray(0, bytes.length / 2)), { kind: 'invalid' });
  }
});
