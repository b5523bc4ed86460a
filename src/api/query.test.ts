import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInstant, readQuery } from './query.ts';

test('booleans as Docker reads them', () => {
  const q = readQuery('a=1&b=0&c=&d=No&e=FALSE&f=none&g=yes&h=%20false%20&i');
  const on = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].filter((name) => q.flag(name));
  assert.deepEqual(on, ['a', 'g']);
  assert.equal(q.flag('z'), false);
  assert.equal(q.flag('z', true), true);
});

test('whole numbers', () => {
  const q = readQuery('a=-1&b=x&c=&d=99999999999999999999&e=1.5');
  assert.equal(q.int('a'), -1);
  assert.equal(q.int('c'), undefined);
  assert.throws(() => q.int('b'), { message: 'strconv.Atoi: parsing "x": invalid syntax', kind: 'invalid' });
  assert.throws(() => q.int('e'), /invalid syntax/);
  assert.throws(() => q.int('d'), /value out of range/);
  const wide = readQuery('most=9223372036854775807&more=9223372036854775808&least=-9223372036854775808&plus=%2B5');
  assert.deepEqual([wide.int('most'), wide.int('least'), wide.int('plus')], [2 ** 63, -(2 ** 63), 5]);
  assert.throws(() => wide.int('more'), /value out of range/);
  assert.throws(() => q.requiredInt('c'), { message: 'strconv.Atoi: parsing "": invalid syntax' });
});

test('instants in seconds or RFC 3339, to the nanosecond', () => {
  assert.equal(parseInstant('1795469280'), 1_795_469_280_000_000_000n);
  assert.equal(parseInstant('1795469280.5'), 1_795_469_280_500_000_000n);
  assert.equal(parseInstant('1795469280.000000001'), 1_795_469_280_000_000_001n);
  assert.equal(parseInstant('2026-11-23T21:28:00.284951203Z'), 1_795_469_280_284_951_203n);
  assert.equal(parseInstant('2026-11-23T22:28:00+01:00'), 1_795_469_280_000_000_000n);
  for (const bad of ['x', '5m', '2026-13-45T00:00:00Z', '1.2.3'])
    assert.throws(() => parseInstant(bad), { kind: 'invalid' });
});

test('repeated values', () => {
  const q = readQuery('n=a&n=b+c&n=%2F');
  assert.deepEqual(q.all('n'), ['a', 'b c', '/']);
  assert.equal(q.has('n'), true);
  assert.equal(q.text('none'), '');
});
