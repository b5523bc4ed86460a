import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasLongLine, LineBuffer, MAX_RECORD, recordEnd } from './line-cut.ts';

/** Feeds pieces of the given size; gives what came out at once, and the rest. */
function collect(bytes: Buffer, size: number): { done: Buffer; rest: Buffer } {
  const lines = new LineBuffer();
  const done: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) done.push(Buffer.from(lines.push(bytes.subarray(at, at + size))));
  return { done: Buffer.concat(done), rest: lines.flush() };
}

/** The records that bytes consist of. */
function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = recordEnd(bytes, at, bytes.length);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

test('only whole lines come out, whatever the pieces', () => {
  const text = Buffer.from('one\ntwo\n\nthree');
  for (const size of [1, 2, 5, 100]) {
    const { done, rest } = collect(text, size);
    assert.equal(done.toString(), 'one\ntwo\n\n');
    assert.equal(rest.toString(), 'three');
  }
});

test('a line that gets too long is cut at 16 KiB', () => {
  for (const size of [1000, 4096, 65_536, 100_000]) {
    const { done, rest } = collect(Buffer.alloc(50_000, 'x'), size);
    assert.equal(done.length, 3 * MAX_RECORD);
    assert.equal(rest.length, 50_000 - 3 * MAX_RECORD);
    assert.deepEqual(
      records(done).map((record) => record.length),
      [MAX_RECORD, MAX_RECORD, MAX_RECORD],
    );
  }
});

test('the newline of a line of exactly 16 KiB is a record of its own, as in Docker', () => {
  const { done } = collect(Buffer.from(`${'x'.repeat(MAX_RECORD)}\n`), 65_536);
  assert.deepEqual(
    records(done).map((record) => record.length),
    [MAX_RECORD, 1],
  );
  const short = collect(Buffer.from(`${'x'.repeat(MAX_RECORD - 1)}\n`), 65_536);
  assert.deepEqual(
    records(short.done).map((record) => record.length),
    [MAX_RECORD],
  );
});

test('a cut never splits a character', () => {
  for (const [character, lead] of [
    ['é', 1],
    ['€', 1],
    ['€', 2],
    ['😀', 1],
    ['😀', 2],
    ['😀', 3],
  ] as const) {
    const text = 'a'.repeat(lead) + character.repeat(20_000);
    const { done, rest } = collect(Buffer.from(text), 10_000);
    for (const record of records(done)) {
      assert.ok(record.length <= MAX_RECORD && record.length > MAX_RECORD - 4);
      assert.equal(Buffer.from(record.toString()).equals(record), true);
    }
    assert.equal(Buffer.concat([done, rest]).toString(), text);
  }
});

test('bytes that are no UTF-8 are cut all the same', () => {
  const { done } = collect(Buffer.alloc(40_000, 0x80), 7000);
  assert.equal(done.length, 2 * MAX_RECORD);
});

test('long lines are found', () => {
  const line = `${'x'.repeat(MAX_RECORD - 1)}\n`;
  assert.equal(hasLongLine(Buffer.from(line.repeat(3))), false);
  assert.equal(hasLongLine(Buffer.from(`${line}x${line}`)), true);
  assert.equal(hasLongLine(Buffer.alloc(MAX_RECORD, 'x')), true);
  assert.equal(hasLongLine(Buffer.alloc(MAX_RECORD - 1, 'x')), false);
  assert.equal(hasLongLine(Buffer.from('a\n'.repeat(50_000))), false);
});
