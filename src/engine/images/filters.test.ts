import assert from 'node:assert/strict';
import { test } from 'node:test';
import { booleanFilter, checkKeys, hasLabels, parseDuration, untilFilter } from './filters.ts';

const filters = (key: string, ...values: string[]) => new Map([[key, values]]);

test('unknown keys are named', () => {
  assert.throws(() => checkKeys(filters('foo', 'x'), ['label']), { kind: 'invalid', message: "invalid filter 'foo'" });
  checkKeys(filters('label', 'x'), ['label']);
});

test('booleans are strict', () => {
  assert.equal(booleanFilter(filters('dangling', 'true'), 'dangling'), true);
  assert.equal(booleanFilter(filters('dangling', '0'), 'dangling'), false);
  assert.equal(booleanFilter(new Map(), 'dangling'), undefined);
  for (const values of [['maybe'], ['true', 'false']]) {
    assert.throws(() => booleanFilter(filters('dangling', ...values), 'dangling'), {
      message: `invalid filter 'dangling=[${values.join(' ')}]'`,
    });
  }
});

test('labels match by key or by key and value', () => {
  const labels = { a: 'b=c', d: '' };
  assert.ok(hasLabels(labels, ['a']));
  assert.ok(hasLabels(labels, ['a=b=c', 'd=']));
  assert.ok(!hasLabels(labels, ['a=b']));
  assert.ok(!hasLabels(labels, ['a', 'e']));
});

test('durations are those of Go', () => {
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('1.5s'), 1500);
  assert.equal(parseDuration('-1m'), -60_000);
  assert.equal(parseDuration('1'), undefined);
  assert.equal(parseDuration('x'), undefined);
});

test('until takes durations and times', () => {
  assert.equal(untilFilter(filters('until', '10s'), 20_000), 10_000);
  assert.equal(untilFilter(filters('until', '1600000000')), 1_600_000_000_000);
  assert.equal(untilFilter(filters('until', '2020-01-01T00:00:00Z')), Date.UTC(2020, 0));
  assert.throws(() => untilFilter(filters('until', 'xx')), {
    message: 'failed to parse value as time or duration: "xx"',
  });
  assert.throws(() => untilFilter(filters('until', '1h', '2h')), { message: 'more than one until filter specified' });
});
