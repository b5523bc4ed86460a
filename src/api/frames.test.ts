import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framed, frameHeader } from './frames.ts';

test('a header is the stream, three zeros and the length', () => {
  assert.deepEqual([...frameHeader('stdout', 5)], [1, 0, 0, 0, 0, 0, 0, 5]);
  assert.deepEqual([...frameHeader('stderr', 0x01020304)], [2, 0, 0, 0, 1, 2, 3, 4]);
});

test('many payloads stand one after another, each behind its header', () => {
  const payloads = [
    { stream: 'stdout' as const, data: Buffer.from('one\n') },
    { stream: 'stderr' as const, data: Buffer.alloc(0) },
    { stream: 'stderr' as const, data: Buffer.alloc(70_000, 'x') },
  ];
  const expected = payloads.flatMap(({ stream, data }) => [frameHeader(stream, data.length), data]);
  assert.deepEqual(framed(payloads), Buffer.concat(expected));
  assert.equal(framed([]).length, 0);
});
