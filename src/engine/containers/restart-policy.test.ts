import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextDelay, type RunEnd, startsWithEngine } from './restart-policy.ts';

const policy = (Name: string, MaximumRetryCount = 0) => ({ Name, MaximumRetryCount });
const end = (over: Partial<RunEnd> = {}): RunEnd => ({
  exitCode: 1,
  ranMs: 5,
  lastDelay: 0,
  restartCount: 0,
  stoppedByHand: false,
  ...over,
});

test('delays double up to a minute and begin again after a good run', () => {
  const always = policy('always');
  const delays: number[] = [];
  for (let i = 0, lastDelay = 0; i < 12; i++) {
    lastDelay = nextDelay(always, end({ lastDelay })) ?? -1;
    delays.push(lastDelay);
  }
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  assert.equal(nextDelay(always, end({ lastDelay: 60_000, ranMs: 10_000 })), 100);
  assert.equal(nextDelay(always, end({ lastDelay: 100, ranMs: 9_999 })), 200);
});

test('each policy in its own way', () => {
  const starts = (name: string, over: Partial<RunEnd> = {}, most = 0) =>
    nextDelay(policy(name, most), end(over)) !== undefined;
  for (const name of ['', 'no']) assert.equal(starts(name), false);
  for (const name of ['always', 'unless-stopped']) {
    assert.equal(starts(name, { exitCode: 0 }), true);
    assert.equal(starts(name, { stoppedByHand: true }), false);
  }
  assert.equal(starts('on-failure'), true);
  assert.equal(starts('on-failure', { exitCode: 0 }), false);
  assert.equal(starts('on-failure', { stoppedByHand: true }), false);
  assert.equal(starts('on-failure', { restartCount: 2 }, 3), true);
  assert.equal(starts('on-failure', { restartCount: 3 }, 3), false);
});

test('what comes up with the engine', () => {
  assert.equal(startsWithEngine(policy('always'), true), true);
  assert.equal(startsWithEngine(policy('unless-stopped'), false), true);
  assert.equal(startsWithEngine(policy('unless-stopped'), true), false);
  assert.equal(startsWithEngine(policy('on-failure'), false), false);
  assert.equal(startsWithEngine(policy('no'), false), false);
});
