import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from './errors.ts';
import {
  formatRfc3339Nano,
  formatRfc3339NanoFixed,
  nowNano,
  nowRfc3339Nano,
  parseGoDuration,
  parseRfc3339Nano,
  parseTime,
  parseUnixTime,
} from './time.ts';

const isInvalid = (error: unknown) => kindOf(error) === 'invalid';

test('the clock rises with every call and keeps to the host clock', () => {
  let before = nowNano();
  for (let i = 0; i < 10_000; i++) {
    const now = nowNano();
    assert.ok(now > before);
    before = now;
  }
  assert.ok(Math.abs(Number(before / 1_000_000n) - Date.now()) < 50);
});

test('a clock that is set back is followed, a small step is not', (t) => {
  const real = Date.now;
  let shift = 0;
  t.mock.method(Date, 'now', () => real() + shift);
  const before = nowNano();
  shift = -500;
  const step = nowNano();
  assert.ok(step > before && step < before + 1_000_000_000n);
  shift = -3_600_000;
  const back = nowNano();
  assert.ok(back < before - 3_000_000_000_000n, 'an hour earlier');
  assert.ok(nowNano() > back, 'and rising from there');
  shift = 3_600_000;
  assert.ok(nowNano() > before + 3_000_000_000_000n, 'forward, too');
});

test('times are written as Go writes them', () => {
  const base = BigInt(Date.UTC(2026, 10, 23, 21, 5, 58)) * 1_000_000n;
  assert.equal(formatRfc3339Nano(base), '2026-11-23T21:05:58Z');
  assert.equal(formatRfc3339Nano(base + 120_000_000n), '2026-11-23T21:05:58.12Z');
  assert.equal(formatRfc3339Nano(base + 1n), '2026-11-23T21:05:58.000000001Z');
  assert.equal(formatRfc3339NanoFixed(base), '2026-11-23T21:05:58.000000000Z');
  assert.equal(formatRfc3339NanoFixed(-1n), '1969-12-31T23:59:59.999999999Z');
});

test('what is written is read back, zones and the zero time included', () => {
  for (const text of ['2026-11-23T21:05:58.123456789Z', '0001-01-01T00:00:00Z', '1969-12-31T23:59:59.5Z']) {
    assert.equal(formatRfc3339Nano(parseRfc3339Nano(text)), text);
  }
  assert.equal(parseRfc3339Nano('1970-01-01T01:00:00.5+01:00'), 500_000_000n);
  assert.ok(parseRfc3339Nano(nowRfc3339Nano()) <= nowNano());
  for (const bad of ['', 'x', '2026-11-23', '2026-13-01T00:00:00Z', '2026-11-23T21:05:58']) {
    assert.throws(() => parseRfc3339Nano(bad), isInvalid);
  }
});

test('unix seconds carry up to nine digits of a fraction', () => {
  assert.equal(parseUnixTime(''), undefined);
  assert.equal(parseUnixTime('12'), 12_000_000_000n);
  assert.equal(parseUnixTime('12.5'), 12_500_000_000n);
  assert.equal(parseUnixTime('12.000000001'), 12_000_000_001n);
  assert.throws(() => parseUnixTime('foo'), { message: 'strconv.ParseInt: parsing "foo": invalid syntax' });
  assert.throws(() => parseUnixTime('1.5.5'), { message: 'strconv.ParseInt: parsing "5.5": invalid syntax' });
});

test('durations of Go', () => {
  assert.equal(parseGoDuration('1h30m'), 5_400_000_000_000n);
  assert.equal(parseGoDuration('-1.5s'), -1_500_000_000n);
  assert.equal(parseGoDuration('10ms'), 10_000_000n);
  assert.equal(parseGoDuration('0'), 0n);
  for (const bad of ['', '5', '1d', 'h', '1h 2m', '.s']) assert.equal(parseGoDuration(bad), undefined);
});

test('times people give: durations, seconds, dates', () => {
  const now = 1_000_000_000_000_000_000n;
  assert.equal(parseTime('10m', now), now - 600_000_000_000n);
  assert.equal(parseTime('0', now), 0n);
  assert.equal(parseTime('1136073600.000000001', now), 1_136_073_600_000_000_001n);
  assert.equal(parseTime('2006-01-02Z', now), BigInt(Date.UTC(2006, 0, 2)) * 1_000_000n);
  assert.equal(parseTime('2006-01-02T15:04Z', now), BigInt(Date.UTC(2006, 0, 2, 15, 4)) * 1_000_000n);
  assert.equal(parseTime('2006-01-02T15:04:05.5+01:00', now), BigInt(Date.UTC(2006, 0, 2, 14, 4, 5, 500)) * 1_000_000n);
  assert.equal(parseTime('2006-01-02', now), BigInt(new Date(2006, 0, 2).getTime()) * 1_000_000n);
  assert.throws(() => parseTime('yesterday', now), {
    message: 'failed to parse value as time or duration: "yesterday"',
  });
});
