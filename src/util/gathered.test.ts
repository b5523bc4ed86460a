import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gathered } from './gathered.ts';

async function* pieces(...lengths: readonly number[]): AsyncGenerator<Buffer> {
  for (const [i, length] of lengths.entries()) yield Buffer.alloc(length, i + 1);
}

test('joins small pieces, lets large ones through, and keeps every byte in its place', async () => {
  const lengths = [1, 512, 40_000, 3, 30_000, 20_000, 20_000, 0, 512, 100_000, 65_536, 1];
  const got = await Array.fromAsync(gathered(pieces(...lengths)));
  assert.ok(Buffer.concat(got).equals(Buffer.concat(await Array.fromAsync(pieces(...lengths)))));
  assert.deepEqual(
    got.map(({ length }) => length),
    [513, 40_000, 50_003, 20_512, 100_000, 65_536, 1],
  );
  const small = await Array.fromAsync(gathered(pieces(...Array.from({ length: 1000 }, () => 512))));
  assert.ok(small.length <= 8, `${small.length}`);
  assert.deepEqual(await Array.fromAsync(gathered(pieces())), []);
});

test('hands on what goes wrong, and ends its source with its reader', async () => {
  let ended = false;
  async function* failing(): AsyncGenerator<Buffer> {
    try {
      yield Buffer.alloc(50_000);
      throw new Error('gone');
    } finally {
      ended = true;
    }
  }
  const read = gathered(failing());
  assert.equal((await read.next()).value?.length, 50_000);
  await assert.rejects(read.next(), /gone/);
  ended = false;
  const left = gathered(failing());
  await left.next();
  await left.return(undefined);
  assert.ok(ended);
});
