import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNumber } from './raw-number.ts';

test('a number beyond what JavaScript holds is written to the last digit', () => {
  assert.equal(JSON.stringify({ hard: rawNumber('18446744073709551615') }), '{"hard":18446744073709551615}');
});

test('what is no number at all is refused', () => {
  assert.throws(() => rawNumber('{"a":1}'), SyntaxError);
});
