import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '../containers/model.ts';
import { afterProbe, startingHealth, uncheckedHealth } from './health-record.ts';

const result = (exitCode: number, output = '') => ({ start: 's', end: 'e', exitCode, output });
const late = { retries: 3, inStartPeriod: false };

/** Feeds exit codes one after the other. */
function feed(codes: readonly number[], from: Health = startingHealth(undefined), rule = late): Health {
  return codes.reduce((health, code) => afterProbe(health, result(code), rule), from);
}

test('one success is enough, failures must come in a row', () => {
  assert.equal(feed([0]).status, 'healthy');
  assert.deepEqual([feed([1, 1]).status, feed([1, 1]).failingStreak], ['starting', 2]);
  assert.equal(feed([1, 1, -1]).status, 'unhealthy');
  assert.equal(feed([1, 1, 0, 1, 1]).status, 'healthy');
  const back = feed([1, 1, 1, 0]);
  assert.deepEqual([back.status, back.failingStreak], ['healthy', 0]);
  const unhealthy = { ...feed([1, 1, 1]), healing: true };
  assert.deepEqual([feed([1], unhealthy).healing, feed([0], unhealthy).healing], [true, false]);
});

test('in the start period failures do not count until it was healthy once', () => {
  const early = { retries: 1, inStartPeriod: true };
  assert.deepEqual(
    [feed([1, 1], undefined, early).status, feed([1, 1], undefined, early).failingStreak],
    ['starting', 0],
  );
  assert.equal(feed([1, 0, 1], undefined, early).status, 'unhealthy');
});

test('the last five results are kept, also over a restart', () => {
  const health = feed([1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(
    health.log.map(({ exitCode }) => exitCode),
    [3, 4, 5, 6, 7],
  );
  const again = startingHealth(health);
  assert.deepEqual([again.status, again.failingStreak, again.log.length], ['starting', 0, 5]);
});

test('what is not checked any more is not healthy', () => {
  assert.equal(uncheckedHealth(feed([0]))?.status, 'unhealthy');
  assert.equal(uncheckedHealth(undefined), undefined);
});
