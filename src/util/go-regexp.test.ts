import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goRegExp } from './go-regexp.ts';

test('what Go spells differently', () => {
  const cases: [pattern: string, finds: string, not: string][] = [
    ['^web$', 'web', 'web1'],
    ['(?i)WEB', 'web1', 'we'],
    ['[[:alpha:]]+1', 'web1', '11'],
    ['^[[:digit:][:upper:]_]+$', 'A_1', 'a'],
    ['\\Aweb\\z', 'web', 'aweb'],
    ['(?P<name>w)eb', 'web', 'eb'],
    ['a\\\\z', 'a\\z', 'a'],
    ['[[:punct:]]', '-', 'a'],
  ];
  for (const [pattern, finds, not] of cases) {
    assert.equal(goRegExp(pattern)?.test(finds), true, `${pattern} finds ${finds}`);
    assert.equal(goRegExp(pattern)?.test(not), false, `${pattern} does not find ${not}`);
  }
});

test('what is no expression', () => {
  for (const pattern of ['[', '(', '*', 'a**']) assert.equal(goRegExp(pattern), undefined, pattern);
});
