import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContainer } from '../runtime-spec/test-container.ts';
import { healthPlan } from './health-plan.ts';
import { goDuration } from './probe.ts';

const plan = (Healthcheck: object | null, more: object = {}) =>
  healthPlan(testContainer({ Healthcheck, ...more }).config);
const command = (Test: readonly string[], more: object = {}) => plan({ Test }, more)?.request.Cmd;

test('the forms of a test', () => {
  assert.deepEqual(command(['CMD', 'a', 'b c']), ['a', 'b c']);
  assert.deepEqual(command(['CMD-SHELL', 'a b']), ['/bin/sh', '-c', 'a b']);
  assert.deepEqual(command(['CMD-SHELL', 'a b'], { Shell: ['bash', '-lc'] }), ['bash', '-lc', 'a b']);
  for (const none of [[], ['NONE'], ['CMD'], ['FOO', 'a']]) assert.equal(command(none), undefined, none.join(' '));
  assert.equal(plan(null), undefined);
});

test('what is assumed where nothing is said', () => {
  const { request: _, ...times } = plan({ Test: ['CMD', 'x'] }) ?? { request: undefined };
  assert.deepEqual(times, { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5000, retries: 3 });
});

test('nanoseconds become milliseconds that a timer can hold', () => {
  const { interval, timeout } =
    plan({ Test: ['CMD', 'x'], Interval: 1_500_000, Timeout: Number.MAX_SAFE_INTEGER }) ?? {};
  assert.deepEqual([interval, timeout], [1.5, 2 ** 31 - 1]);
});

test('spans are told as Go prints them', () => {
  assert.deepEqual([300, 1000, 1500, 90_000, 3_600_000].map(goDuration), ['300ms', '1s', '1.5s', '1m30s', '1h0m0s']);
});
