import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryEscape } from './query-escape.ts';

test('what Go escapes in a query', () => {
  assert.equal(queryEscape('a b-_.~c/?&=+%'), 'a+b-_.~c%2F%3F%26%3D%2B%25');
  assert.equal(queryEscape("!'()*"), '%21%27%28%29%2A');
  assert.equal(queryEscape('ü\ud800'), '%C3%BC%EF%BF%BD');
});
