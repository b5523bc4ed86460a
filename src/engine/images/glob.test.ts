import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globToRegExp } from './glob.ts';

test('patterns match as in path.Match', () => {
  const cases: [string, string, boolean][] = [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['a*', 'abc', true],
    ['a*/b', 'abc/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['ab[b-d]', 'abc', true],
    ['ab[^b-d]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a.c', 'abc', false],
    ['[\\]]', ']', true],
    ['[z-a]', 'b', false],
    ['my-app:1.0-rc/x', 'my-app:1.0-rc/x', true],
    ['a[+\\--.]b', 'a-b', true],
    ['${}()|/', '${}()|/', true],
    ['busy*:latest', 'busybox:latest', true],
  ];
  for (const [pattern, text, expected] of cases) {
    assert.equal(globToRegExp(pattern).test(text), expected, `${pattern} ${text}`);
  }
});

test('malformed patterns are refused', () => {
  for (const pattern of ['[', '[a', '[]', '[^]', 'a\\', '[-]', '[a-]', '[a-']) {
    assert.throws(() => globToRegExp(pattern), { kind: 'invalid', message: 'syntax error in pattern' }, pattern);
  }
});
