import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomName } from './names.ts';

test('a name is an adjective and a surname', () => {
  for (let i = 0; i < 200; i++) assert.match(randomName(), /^[a-z]+_[a-z]+$/);
});

test('a retry gets digits', () => {
  for (let i = 0; i < 200; i++) {
    assert.match(randomName(1), /^[a-z]+_[a-z]+\d$/);
    assert.match(randomName(12), /^[a-z]+_[a-z]+\d{1,9}$/);
  }
});

test('names differ', () => {
  const names = new Set(Array.from({ length: 100 }, () => randomName()));
  assert.ok(names.size > 80, `only ${names.size} different names in 100`);
});
