import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { emptyObject, flag, int, list, listOrNull, mapOf, orNull, sizeOrNull, text } from './json.ts';

const FIELDS = v.object({
  text: text(),
  flag: flag(),
  int: int(),
  list: list(v.string()),
  listOrNull: listOrNull(v.string()),
  map: mapOf(v.string()),
  orNull: orNull(v.boolean()),
  size: sizeOrNull(),
});
const ZERO = { text: '', flag: false, int: 0, list: [], listOrNull: null, map: {}, orNull: null, size: null };

test('missing and null are the zero value of a field', () => {
  assert.deepEqual(v.parse(FIELDS, {}), ZERO);
  const nulls = Object.fromEntries(Object.keys(ZERO).map((name) => [name, null]));
  assert.deepEqual(v.parse(FIELDS, nulls), ZERO);
});

test('a value of the right kind passes as it is', () => {
  const given = {
    text: 'a',
    flag: true,
    int: -3,
    list: ['a'],
    listOrNull: [],
    map: { a: 'b' },
    orNull: false,
    size: [24, 80],
  };
  assert.deepEqual(v.parse(FIELDS, given), given);
  assert.deepEqual(v.parse(mapOf(emptyObject()), { '80/tcp': null, '81/tcp': {} }), { '80/tcp': {}, '81/tcp': {} });
});

test('another kind is refused', () => {
  const wrong = {
    text: 1,
    flag: 'true',
    int: 1.5,
    list: 'a',
    listOrNull: [1],
    map: { a: 1 },
    orNull: 1,
    size: [-1, 80],
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.equal(v.safeParse(FIELDS, { [name]: value }).success, false, name);
  }
  assert.equal(v.safeParse(FIELDS, { size: [1.5, 2] }).success, false);
  assert.equal(v.safeParse(int(), 2 ** 63).success, false, 'more than 64 bits');
});

test('a size of another length is filled up or cut off, as in Go', () => {
  assert.deepEqual(v.parse(FIELDS, { size: [24] }).size, [24, 0]);
  assert.deepEqual(v.parse(FIELDS, { size: [24, 80, 1] }).size, [24, 80]);
});
