import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsWithin } from './ends-within.ts';

const never = new Promise<void>(() => {});

test('whether something ends before a time or a signal', async () => {
  assert.equal(await endsWithin(Promise.resolve(), 60_000), true);
  assert.equal(await endsWithin(Promise.resolve(), Number.POSITIVE_INFINITY), true);
  assert.equal(await endsWithin(never, 5), false);
  assert.equal(await endsWithin(never, Number.POSITIVE_INFINITY, AbortSignal.timeout(5)), false);
  assert.equal(await endsWithin(never, 60_000, AbortSignal.abort()), false);
  await assert.rejects(endsWithin(Promise.reject(new Error('broken')), 60_000), /broken/);
});
