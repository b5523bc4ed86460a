import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redial } from './redial.ts';

test('a receiver that did not answer is left alone for a moment', async () => {
  const redial = new Redial();
  let dialled = 0;
  const fail = () => redial.run(() => Promise.reject(new Error(`failure ${++dialled}`)));
  await assert.rejects(fail(), /failure 1/);
  await assert.rejects(fail(), /failure 1/);
  assert.equal(dialled, 1);
  await sleep(120);
  await assert.rejects(fail(), /failure 2/);
  await sleep(120);
  await redial.run(async () => {});
  await assert.rejects(fail(), /failure 3/);
});

test('one that took its time to fail is left alone for as long', async () => {
  const redial = new Redial();
  let dialled = 0;
  const fail = () =>
    redial.run(async () => {
      dialled += 1;
      await sleep(300);
      throw new Error('timed out');
    });
  await assert.rejects(fail(), /timed out/);
  await sleep(150);
  await assert.rejects(fail(), /timed out/);
  assert.equal(dialled, 1);
});
