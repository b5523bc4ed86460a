import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilFilter, untilInstants } from './until-filter.ts';

const until = (...values: string[]) => new Map([['until', values]]);

test('until takes durations and times', () => {
  assert.equal(untilFilter(new Map()), undefined);
  assert.equal(untilFilter(until('10s'), 20_000), 10_000);
  assert.equal(untilFilter(until('1600000000')), 1_600_000_000_000);
  assert.equal(untilFilter(until('2020-01-01T00:00:00Z')), Date.UTC(2020, 0));
  assert.throws(() => untilFilter(until('xx')), { message: 'failed to parse value as time or duration: "xx"' });
  assert.deepEqual(untilInstants(until('10s', '5s'), 20_000), [10_000, 15_000]);
  assert.throws(() => untilFilter(until('1h', '2h')), { message: 'more than one until filter specified' });
});
