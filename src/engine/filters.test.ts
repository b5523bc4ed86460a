import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../util/errors.ts';
import {
  filterFlag,
  matchExact,
  matchLabels,
  matchPattern,
  matchPrefix,
  matchPruneLabels,
  parseFilters,
  valuesOf,
} from './filters.ts';

test('both forms of the query mean the same', () => {
  const wanted = new Map([['status', ['exited', 'created']]]);
  assert.deepEqual(parseFilters('{"status":["exited","created"]}'), wanted);
  assert.deepEqual(parseFilters('{"status":{"exited":true,"created":false}}'), wanted);
  assert.deepEqual(parseFilters(''), new Map());
  assert.deepEqual(parseFilters('null'), new Map());
  assert.deepEqual(valuesOf(parseFilters('{"a":null}'), 'a'), []);
});

test('what is no filter is refused', () => {
  for (const bad of ['foo', '[]', '1', '"x"', '{"a":"b"}', '{"a":[1]}', '{"a":{"b":1}}', '{"a":[["b"]]}']) {
    assert.throws(
      () => parseFilters(bad),
      (error: Error) => error.message === 'invalid filter' && kindOf(error) === 'invalid',
      bad,
    );
  }
  assert.throws(() => parseFilters('{"x":["1"]}', ['label']), { message: "invalid filter 'x'" });
  assert.equal(parseFilters('{"label":["1"]}', ['label']).size, 1);
});

test('exact, prefix and pattern', () => {
  const filters = parseFilters('{"name":["web","^db[0-9]$","("]}');
  assert.equal(matchExact(filters, 'name', 'web'), true);
  assert.equal(matchExact(filters, 'name', 'web1'), false);
  assert.equal(matchExact(filters, 'other', 'anything'), true);
  assert.equal(matchPrefix(filters, 'name', 'web1'), true);
  assert.equal(matchPrefix(filters, 'name', 'aweb'), false);
  assert.equal(matchPattern(filters, 'name', 'aweb1'), true);
  assert.equal(matchPattern(filters, 'name', 'db7'), true);
  assert.equal(matchPattern(filters, 'name', 'db77'), false);
});

test('labels: every one must be there, values after the first equals sign', () => {
  const labels = { a: '1', b: 'x=y', c: '' };
  const match = (...wanted: string[]) => matchLabels(new Map([['label', wanted]]), 'label', labels);
  assert.equal(match(), true);
  assert.equal(match('a'), true);
  assert.equal(match('a=1', 'b=x=y', 'c='), true);
  assert.equal(match('a=2'), false);
  assert.equal(match('a', 'd'), false);
  assert.equal(match('toString'), false);
});

test('prune takes labels that must not be there', () => {
  assert.equal(matchPruneLabels(parseFilters('{"label!":["keep"]}'), { keep: '1' }), false);
  assert.equal(matchPruneLabels(parseFilters('{"label!":["keep"]}'), {}), true);
  assert.equal(matchPruneLabels(parseFilters('{"label":["a"],"label!":["b"]}'), { a: '', b: '' }), false);
});

test('flags', () => {
  assert.equal(filterFlag(new Map(), 'dangling', true), true);
  assert.equal(filterFlag(parseFilters('{"dangling":["0"]}'), 'dangling', true), false);
  assert.equal(filterFlag(parseFilters('{"dangling":["true"]}'), 'dangling', false), true);
  assert.throws(() => filterFlag(parseFilters('{"dangling":["1","0"]}'), 'dangling', false), {
    message: "invalid filter 'dangling=[1 0]'",
  });
  assert.throws(() => filterFlag(parseFilters('{"dangling":["x"]}'), 'dangling', false));
});
