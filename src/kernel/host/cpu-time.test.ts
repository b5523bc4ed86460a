import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTime } from './cpu-time.ts';

test('the time of all processors, without what guests had of it', () => {
  const text =
    'cpu  100 20 30 400 5 6 7 80 9 10\ncpu0 50 10 15 200 2 3 3 40 4 5\ncpu1 50 10 15 200 3 3 4 40 5 5\nintr 1\n';
  assert.deepEqual(cpuTime(text), { total: 568 * 10_000_000, online: 2 });
});

test('of this host', () => {
  const { total, online } = cpuTime();
  assert.ok(total > 0 && online > 0);
});
