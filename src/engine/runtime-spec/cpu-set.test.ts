import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuSet } from './cpu-set.ts';

test('numbers and ranges', () => {
  assert.deepEqual([...parseCpuSet('0-2,5,7-7')], [0, 1, 2, 5, 7]);
  assert.deepEqual(parseCpuSet(''), new Set());
  assert.equal(parseCpuSet('0-8192').size, 8193);
});

test('what is no list', () => {
  for (const wrong of ['x', '1-', '-1', '3-1', '1 2', '1.5', '0,', ',', '0\n']) {
    assert.throws(() => parseCpuSet(wrong), { message: `invalid format: ${wrong}` });
  }
});

test('numbers that no machine has', () => {
  for (const wrong of ['8193', '0-99999999', '0,99999999999']) {
    assert.throws(() => parseCpuSet(wrong), { message: 'value of out range, maximum is 8192' }, wrong);
  }
});
