import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openRestartTimers } from './restart-timers.ts';

/** Timers whose clock the test moves on; `started` has the containers whose start was called, each of which ends when `finish` is. */
function openTimers(atOnce: number) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const start = (id: string): Promise<void> => {
    started.push(id);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    return promise;
  };
  const timers = openRestartTimers(start, atOnce);
  const tick = async (ms: number): Promise<void> => {
    mock.timers.tick(ms);
    await turn();
  };
  const finish = async (): Promise<void> => {
    ends.shift()?.();
    await turn();
  };
  return { timers, started, tick, finish, [Symbol.dispose]: () => mock.timers.reset() };
}

test('a timer fires once, the last schedule counts, a cancelled or disposed one never fires', async () => {
  using it = openTimers(10);
  const { timers, started, tick } = it;
  timers.begin();
  timers.schedule('a', 100);
  timers.schedule('a', 200);
  timers.schedule('b', 100);
  timers.schedule('c', 300);
  timers.cancel('b');
  await tick(150);
  assert.deepEqual(started, []);
  await tick(50);
  assert.deepEqual(started, ['a']);
  timers[Symbol.dispose]();
  timers.schedule('d', 0);
  await tick(1000);
  assert.deepEqual(started, ['a']);
});

test('nothing is started before the begin', async () => {
  using it = openTimers(10);
  const { timers, started, tick } = it;
  timers.schedule('a', 0);
  await tick(1000);
  timers.begin();
  timers.schedule('b', 0);
  await tick(1000);
  assert.deepEqual(started, ['b']);
});

test('so many at a time, and those whose turn comes after the end are not started', async () => {
  using it = openTimers(2);
  const { timers, started, tick, finish } = it;
  timers.begin();
  for (const id of ['a', 'b', 'c', 'd']) timers.schedule(id, 0);
  await tick(1);
  assert.deepEqual(started, ['a', 'b']);
  await finish();
  assert.deepEqual(started, ['a', 'b', 'c']);
  timers[Symbol.dispose]();
  await finish();
  await finish();
  assert.deepEqual(started, ['a', 'b', 'c']);
});
