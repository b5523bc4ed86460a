import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { codecOf, type ExpansionLimits, expand } from './compression.ts';
import { kindOf, messageOf } from './errors.ts';
import { inPieces } from './tar/tar-fixture.ts';

async function expanded(
  bytes: Uint8Array,
  pieces = 1000,
  limits?: ExpansionLimits,
): Promise<{ codec: string; data: Buffer }> {
  const { codec, chunks } = await expand(inPieces(bytes, pieces), limits);
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return { codec, data: Buffer.concat(parts) };
}

const tool = (name: string) => (input: Buffer) => execFileSync(name, ['-c'], { input, maxBuffer: 1 << 26 });
const data = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000, 'a')]);
const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

const compressors: Record<string, (plain: Buffer) => Buffer> = {
  none: (plain) => plain,
  gzip: gzipSync,
  bzip2: tool('bzip2'),
  xz: tool('xz'),
  zstd: (plain) => zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
};
for (const [name, compress] of Object.entries(compressors)) {
  for (const pieces of [97, 65_536]) {
    test(`${name} in pieces of ${pieces}`, async () => {
      const { codec, data: back } = await expanded(compress(data), pieces);
      assert.equal(codec, name);
      assert.ok(back.equals(data));
    });
  }
}

test('several members or frames are one stream', async () => {
  const [a, b] = [Buffer.from('first '), Buffer.from('second')];
  for (const compress of [gzipSync, tool('bzip2'), tool('xz'), (plain: Buffer) => zstdCompressSync(plain)]) {
    assert.equal((await expanded(Buffer.concat([compress(a), compress(b)]))).data.toString(), 'first second');
  }
  const chunked = Buffer.concat([SKIPPABLE, zstdCompressSync(a), SKIPPABLE, zstdCompressSync(b), SKIPPABLE]);
  assert.deepEqual(await expanded(chunked), { codec: 'zstd', data: Buffer.from('first second') });
});

test('short and empty streams are plain', async () => {
  assert.deepEqual(await expanded(Buffer.alloc(0)), { codec: 'none', data: Buffer.alloc(0) });
  assert.deepEqual(await expanded(Buffer.from('B')), { codec: 'none', data: Buffer.from('B') });
  assert.equal(codecOf(Buffer.from('BZ')), 'none');
});

for (const [name, compress] of Object.entries(compressors)) {
  if (name === 'none') continue;
  test(`${name}: cut or damaged data is the sender's fault`, async () => {
    const whole = compress(data);
    const half = Math.floor(whole.length / 2);
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, half, half + 64);
    for (const bytes of [whole.subarray(0, half), damaged]) {
      await assert.rejects(expanded(bytes), (error) => {
        assert.equal(kindOf(error), 'invalid', messageOf(error));
        return true;
      });
    }
  });
}

test('what expands too far is refused', async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000));
  await assert.rejects(
    expanded(bomb, 1000, { bytes: 1_000_000, ratio: 2000, ratioFrom: 0 }),
    /more than 1000000 bytes/,
  );
  await assert.rejects(expanded(bomb, 1000, { bytes: 1e9, ratio: 100, ratioFrom: 1_000_000 }), /more than 100 times/);
  assert.equal((await expanded(bomb, 1000, { bytes: 5_000_000, ratio: 2000, ratioFrom: 0 })).data.length, 5_000_000);
});

test('a zstd frame that wants 2 GiB of memory for its window is refused', async () => {
  // Frame header: magic, no flags, a window of 2^(10 + 21); then one empty block, the last.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00]);
  await assert.rejects(expanded(frame), { kind: 'invalid', message: /^zstd: .*memory/ });
});

test('an error of the source is told as it is, whatever the codec', async () => {
  for (const compress of Object.values(compressors)) {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield compress(data).subarray(0, 1000);
      throw new Error('the network went away');
    }
    const { chunks } = await expand(failing());
    await assert.rejects(async () => {
      for await (const _ of chunks);
    }, /the network went away/);
  }
});

test('a reader may stop early', async () => {
  for (const compress of Object.values(compressors)) {
    const state = { closed: false };
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inPieces(compress(data), 1000);
      } finally {
        state.closed = true;
      }
    }
    const { chunks } = await expand(source());
    for await (const _ of chunks) break;
    for (let i = 0; i < 50 && !state.closed; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(state.closed, 'the source was left open');
  }
});
