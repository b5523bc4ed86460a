import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { Slots } from './slots.ts';

describe('slots', () => {
  test('let so many work at a time, the others in their order', async () => {
    const slots = new Slots(2);
    const begun: number[] = [];
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const work = gates.map(({ promise }, at) => slots.run(() => (begun.push(at), promise)));
    await tick();
    assert.deepEqual([begun, slots.busy], [[0, 1], true]);
    gates[1]?.resolve();
    await work[1];
    gates[2]?.resolve();
    await work[2];
    await tick();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    for (const { resolve } of gates) resolve();
    await Promise.all(work);
    assert.equal(slots.busy, false);
  });

  test('more or fewer of them: what runs goes on', async () => {
    const slots = new Slots(2);
    const begun: number[] = [];
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    const work = gates.map(({ promise }, at) => slots.run(() => (begun.push(at), promise)));
    slots.resize(3);
    await tick();
    assert.deepEqual(begun, [0, 1, 2]);
    slots.resize(1);
    for (const [done, expected] of [
      [0, 3],
      [1, 3],
      [2, 4],
      [3, 5],
    ] as const) {
      gates[done]?.resolve();
      await work[done];
      await tick();
      assert.equal(begun.length, expected, `after ${done}`);
    }
    for (const { resolve } of gates) resolve();
    await Promise.all(work);
    assert.equal(slots.busy, false);
  });

  test('whoever gives up waiting leaves the turn to the next, and whose turn has come keeps it', async () => {
    const slots = new Slots(1);
    const gate = Promise.withResolvers<void>();
    const first = slots.run(() => gate.promise);
    const [leaves, late] = [new AbortController(), new AbortController()];
    const left = slots.run(() => assert.fail('it does not run'), leaves.signal);
    const next = slots.run(() => Promise.resolve('done'), late.signal);
    leaves.abort(new Error('no more'));
    await assert.rejects(left, /no more/);
    gate.resolve();
    await first;
    late.abort(new Error('too late'));
    assert.equal(await next, 'done');
    assert.equal(slots.busy, false);
    await assert.rejects(
      slots.run(() => assert.fail('it does not run'), leaves.signal),
      /no more/,
    );
    assert.equal(slots.busy, false);
  });
});
