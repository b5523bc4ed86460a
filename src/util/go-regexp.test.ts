import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goRegExp, parseGoRegExp } from './go-regexp.ts';

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

test('what is wrong is said in words of Go', () => {
  const cases: [pattern: string, fault: string][] = [
    ['(', 'missing closing ): `(`'],
    ['a(b(c)', 'missing closing ): `a(b(c)`'],
    ['a)', 'unexpected ): `a)`'],
    ['[a', 'missing closing ]: `[a`'],
    ['*a', 'missing argument to repetition operator: `*`'],
    ['a|+', 'missing argument to repetition operator: `+`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
  ];
  for (const [pattern, fault] of cases) {
    assert.throws(() => parseGoRegExp(pattern), { message: `error parsing regexp: ${fault}` }, pattern);
  }
  for (const pattern of ['(?:a)+?', '[]a]', '[^]]', '(?i)(?P<x>a){2,}', '[[:alpha:]*]', '\\(', 'a{,2}'])
    assert.ok(parseGoRegExp(pattern), pattern);
});
