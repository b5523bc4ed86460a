import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hostLock } from './host-lock.ts';

test('one holder at a time; the next gets it when the first lets go', async () => {
  const name = randomBytes(6).toString('hex');
  const first = await hostLock(name);
  await assert.rejects(hostLock(name, 50), { kind: 'unavailable' });
  let second = false;
  const waiting = hostLock(name).then((lock) => {
    second = true;
    return lock;
  });
  await assert.rejects(hostLock(name, 50), { kind: 'unavailable' });
  assert.equal(second, false);
  await first[Symbol.asyncDispose]();
  await (await waiting)[Symbol.asyncDispose]();
  assert.equal(second, true);
});

test('different names do not wait for each other', async () => {
  const [a, b] = await Promise.all([
    hostLock(randomBytes(6).toString('hex')),
    hostLock(randomBytes(6).toString('hex')),
  ]);
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});
