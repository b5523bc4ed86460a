import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { openRestartTimers } from './restart-timers.ts';

test('a timer fires once, the last schedule counts, a cancelled or disposed one never fires', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const started: string[] = [];
    const timers = openRestartTimers(async (id) => void started.push(id));
    timers.schedule('a', 100);
    timers.schedule('a', 200);
    timers.schedule('b', 100);
    timers.schedule('c', 300);
    timers.cancel('b');
    mock.timers.tick(150);
    assert.deepEqual(started, []);
    mock.timers.tick(50);
    assert.deepEqual(started, ['a']);
    timers[Symbol.dispose]();
    timers.schedule('d', 0);
    mock.timers.tick(1000);
    assert.deepEqual(started, ['a']);
  } finally {
    mock.timers.reset();
  }
});
