import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './parse-json.ts';

const number = (source: string): unknown => (parseJson(`{"n":${source}}`) as { n: unknown }).n;

test('whole numbers are exact as far as JavaScript has them', () => {
  for (const n of [0, 5, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) assert.equal(number(String(n)), n);
  assert.ok(Object.is(number('-0'), 0));
});

test('up to 64 bits the last digits may change, never the range', () => {
  for (const source of ['9007199254740993', '9223372036854775807', '-9223372036854775808']) {
    const told = BigInt(JSON.stringify(number(source)));
    const off = told - BigInt(source);
    assert.ok(off <= 1024n && off >= -1024n, `${source} became ${told}`);
    assert.ok(told < 2n ** 63n && told >= -(2n ** 63n), `${source} became ${told}`);
  }
});

test('what Go does not take for a whole number of 64 bits fits nothing', () => {
  for (const source of ['1e3', '1.0', '1.5', '1e30', '9223372036854775808', '-9223372036854775809']) {
    const odd = number(source);
    assert.ok(typeof odd === 'symbol' && odd.description === source, source);
  }
});

test('mistakes are told', () => {
  const refused = (text: string, message: string | RegExp) =>
    assert.throws(() => parseJson(text), { kind: 'invalid', message });
  refused('{"n":', 'invalid JSON: unexpected EOF');
  refused('{} {}', 'unexpected content after JSON');
  refused('{"n":NaN}', /^invalid JSON: /);
  refused('['.repeat(200), 'invalid JSON: exceeded max depth');
});
