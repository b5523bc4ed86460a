import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeLines } from './whole-lines.ts';

test('output is cut behind line ends only', () => {
  const cut = (text: string, max: number): string[] =>
    [...wholeLines(Buffer.from(text), max)].map((part) => part.toString());
  assert.deepEqual(cut('', 4), []);
  assert.deepEqual(cut('a\nb\n', 4), ['a\nb\n']);
  assert.deepEqual(cut('a\nb\nc\n', 4), ['a\nb\n', 'c\n']);
  assert.deepEqual(cut('a\nb\nc\n', 3), ['a\n', 'b\n', 'c\n']);
  assert.deepEqual(cut('a longer line\nb\nrest', 4), ['a longer line\n', 'b\n', 'rest']);
  assert.deepEqual(cut('no line end', 1), ['no line end']);
  assert.deepEqual(cut('\n\n\n', 1), ['\n', '\n', '\n']);
});
