import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContainerState, NEVER } from '../../engine/containers/model.ts';
import { humanDuration } from './human-duration.ts';
import { statusText } from './status.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

test('lengths of time read as in Docker', () => {
  const expected: [number, string][] = [
    [-5 * S, 'Less than a second'],
    [999, 'Less than a second'],
    [S, '1 second'],
    [59.9 * S, '59 seconds'],
    [M, 'About a minute'],
    [2 * M - 1, 'About a minute'],
    [2 * M, '2 minutes'],
    [45 * M + 10 * S, '45 minutes'],
    [H, 'About an hour'],
    [H + 29 * M, 'About an hour'],
    [H + 30 * M, '2 hours'],
    [47 * H, '47 hours'],
    [48 * H, '2 days'],
    [13 * D, '13 days'],
    [14 * D, '2 weeks'],
    [59 * D, '8 weeks'],
    [60 * D, '2 months'],
    [729 * D, '24 months'],
    [730 * D, '2 years'],
  ];
  for (const [ms, text] of expected) assert.equal(humanDuration(ms), text, String(ms));
});

const now = Date.parse('2026-01-02T00:00:00Z');
const at = (ms: number) => new Date(now - ms).toISOString();
const state = (changes: Partial<ContainerState>): ContainerState => ({
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: NEVER,
  finishedAt: NEVER,
  shim: '',
  stoppedByHand: false,
  pausedForCommit: false,
  restartDelay: 0,
  health: undefined,
  ...changes,
});

test('each state has its text', () => {
  const text = (changes: Partial<ContainerState>) => statusText(state(changes), now);
  assert.equal(text({}), 'Created');
  assert.equal(text({ status: 'running', startedAt: at(5 * M) }), 'Up 5 minutes');
  assert.equal(text({ status: 'paused', startedAt: at(S) }), 'Up 1 second (Paused)');
  assert.equal(text({ status: 'restarting', exitCode: 1, finishedAt: at(3 * S) }), 'Restarting (1) 3 seconds ago');
  assert.equal(text({ status: 'exited', finishedAt: at(2 * H) }), 'Exited (0) 2 hours ago');
  assert.equal(text({ status: 'exited', exitCode: 137, finishedAt: at(0) }), 'Exited (137) Less than a second ago');
  assert.equal(text({ status: 'removing' }), 'Removal In Progress');
  assert.equal(text({ status: 'dead' }), 'Dead');
});

test('nanoseconds in a time are understood', () => {
  assert.equal(
    statusText(state({ status: 'running', startedAt: '2026-01-01T23:59:58.123456789Z' }), now),
    'Up 1 second',
  );
});
