import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLine } from './log-line.ts';

const entry = {
  stream: 'stdout' as const,
  time: '2026-01-01T00:00:00.000000001Z',
  data: Buffer.from('hi\n'),
  attrs: { b: '1 2', a: 'x' },
};
const text = (timestamps: boolean, details: boolean) => logLine(entry, { timestamps, details }).toString();

test('the time and the details go in front', () => {
  assert.equal(text(false, false), 'hi\n');
  assert.equal(text(true, false), '2026-01-01T00:00:00.000000001Z hi\n');
  assert.equal(text(false, true), 'a=x,b=1+2 hi\n');
  assert.equal(text(true, true), '2026-01-01T00:00:00.000000001Z a=x,b=1+2 hi\n');
});
