import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAskedDirectly } from './no-proxy.ts';

test('what NO_PROXY names, by Go’s rules', () => {
  const cases: [names: string, url: string, direct: boolean][] = [
    ['', 'https://r.example.com/v2/', false],
    ['', 'http://localhost:5000', true],
    ['', 'http://127.0.0.9:5000', true],
    ['', 'http://[::1]:5000', true],
    ['*', 'https://r.example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://r.example.com', true],
    ['example.com', 'https://anexample.com', false],
    ['.example.com', 'https://r.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['*.example.com', 'https://r.example.com', true],
    ['a, R.Example.com ,b', 'https://r.example.com', true],
    ['10.0.0.0/8', 'http://10.9.8.7:5000', true],
    ['10.0.0.0/8', 'http://11.9.8.7:5000', false],
    ['10.0.0.0/8', 'http://ten.example.com', false],
    ['10.9.8.7', 'http://10.9.8.7:5000', true],
    ['10.9.8.7:5000', 'http://10.9.8.7:5000', true],
    ['10.9.8.7:5001', 'http://10.9.8.7:5000', false],
    ['example.com:443', 'https://r.example.com', true],
    ['example.com:443', 'http://r.example.com', false],
    ['fd00::/8', 'http://[fd00::5]:5000', true],
    ['fd00::5', 'http://[fd00::5]:5000', true],
    ['[fd00::5]:5000', 'http://[fd00::5]:5000', true],
    ['[fd00::5]:5001', 'http://[fd00::5]:5000', false],
  ];
  for (const [names, url, direct] of cases) {
    assert.equal(isAskedDirectly(new URL(url), { NO_PROXY: names }), direct, `${names} ${url}`);
  }
  assert.ok(isAskedDirectly(new URL('http://a.b'), { no_proxy: 'a.b' }));
});
