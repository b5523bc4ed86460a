import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuSet } from './cpu-set.ts';

test('numbers and ranges', () => {
  assert.deepEqual([...(parseCpuSet('0-2,5,7-7') ?? [])], [0, 1, 2, 5, 7]);
  assert.deepEqual(parseCpuSet(''), new Set());
});

test('what is no list', () => {
  for (const wrong of ['x', '1-', '-1', '3-1', '0-99999999', '1 2', '1.5']) {
    assert.equal(parseCpuSet(wrong), undefined, wrong);
  }
});
