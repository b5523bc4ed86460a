import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogClock } from './log-clock.ts';

test('times rise although the clock stands, and go back only when it was set back', () => {
  let now = 1_000_000_000_000_000;
  const clock = new LogClock(() => now);
  const tick = (): [bigint, string] => {
    clock.tick();
    return [clock.nanos(), clock.text()];
  };
  assert.deepEqual(tick(), [1_000_000_000_000_000_000n, '2001-09-09T01:46:40.000000000Z']);
  assert.deepEqual(tick(), [1_000_000_000_000_000_001n, '2001-09-09T01:46:40.000000001Z']);
  now -= 900_000;
  assert.deepEqual(tick(), [1_000_000_000_000_000_002n, '2001-09-09T01:46:40.000000002Z']);
  now -= 3_600_000_000;
  assert.deepEqual(tick(), [999_996_399_100_000_000n, '2001-09-09T00:46:39.100000000Z']);
  now += 1;
  assert.deepEqual(tick(), [999_996_399_100_001_000n, '2001-09-09T00:46:39.100001000Z']);
});

test('a clock that stands still for a thousand records goes on', () => {
  const clock = new LogClock(() => 5);
  for (let i = 0; i < 1001; i++) clock.tick();
  assert.equal(clock.nanos(), 6000n);
});
