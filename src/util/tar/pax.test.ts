import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPaxTime, parsePax, paxRecord, paxTime } from './pax.ts';

test('a record counts its own digits', () => {
  assert.equal(paxRecord('k', 'v').toString(), '6 k=v\n');
  for (const length of [1, 3, 4, 90, 91, 92, 93, 990, 991, 9990]) {
    const record = paxRecord('key', 'v'.repeat(length));
    assert.equal(record.length, Number.parseInt(record.toString(), 10));
    assert.deepEqual(parsePax(record), [['key', Buffer.from('v'.repeat(length))]]);
  }
});

test('values may hold anything', () => {
  const value = Buffer.from([0, 10, 61, 32, 255]);
  assert.deepEqual(parsePax(Buffer.concat([paxRecord('a', value), paxRecord('b', '')])), [
    ['a', value],
    ['b', Buffer.alloc(0)],
  ]);
});

test('times before the epoch and parts of a second', () => {
  for (const [text, seconds, nanos] of [
    ['0', 0, 0],
    ['1.5', 1, 500_000_000],
    ['-1.25', -2, 750_000_000],
    ['-3', -3, 0],
    ['-0.000000001', -1, 999_999_999],
    ['12345678901.123456789', 12345678901, 123456789],
  ] as const) {
    assert.deepEqual(paxTime(Buffer.from(text)), { seconds, nanos });
    assert.equal(formatPaxTime({ seconds, nanos }), text);
  }
  assert.deepEqual(paxTime(Buffer.from('1.0000000019')), { seconds: 1, nanos: 1 });
});
