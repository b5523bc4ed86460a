import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedLock } from './keyed-lock.ts';

test('work under one key runs one after another, in order of asking', async () => {
  const lock = new KeyedLock();
  const seen: string[] = [];
  const work = (name: string, ms: number) =>
    lock.run('k', async () => {
      seen.push(`${name} in`);
      await sleep(ms);
      seen.push(`${name} out`);
    });
  await Promise.all([work('a', 10), work('b', 1), work('c', 0)]);
  assert.deepEqual(seen, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

test('other keys do not wait', async () => {
  const lock = new KeyedLock();
  const gate = Promise.withResolvers<void>();
  const held = lock.run('a', () => gate.promise);
  assert.equal(await lock.run('b', async () => 'free'), 'free');
  gate.resolve();
  await held;
});

test('a failure frees the key and reaches only its caller', async () => {
  const lock = new KeyedLock();
  await assert.rejects(
    lock.run('k', async () => {
      throw new Error('mine');
    }),
    /mine/,
  );
  assert.equal(await lock.run('k', async () => 1), 1);
});
