import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from './log.ts';

function capture(level: 'debug' | 'warn') {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: openLog(level, (line) => lines.push(JSON.parse(line))) };
}

test('a line has a time, a level, a message and its fields', () => {
  const { lines, log } = capture('debug');
  log.with({ part: 'x' }).info('hello', { n: 1 });
  assert.equal(lines.length, 1);
  const { time, ...rest } = lines[0] ?? {};
  assert.deepEqual(rest, { level: 'info', msg: 'hello', part: 'x', n: 1 });
  assert.ok(!Number.isNaN(Date.parse(String(time))));
});

test('the level is shared and can change while running', () => {
  const { lines, log } = capture('warn');
  const child = log.with({ a: 1 });
  child.info('not yet');
  log.level = 'debug';
  child.debug('now');
  assert.deepEqual(
    lines.map((line) => line['msg']),
    ['now'],
  );
});

test('errors are written with their causes', () => {
  const { lines, log } = capture('debug');
  log.error('bad', { error: new Error('outer', { cause: new Error('inner') }) });
  assert.match(String(lines[0]?.['error']), /outer[\s\S]*caused by Error: inner/);
});

test('what could not be undone is written behind what went wrong', () => {
  const { lines, log } = capture('debug');
  log.error('bad', { error: new SuppressedError(new Error('later'), new Error('first')) });
  assert.match(String(lines[0]?.['error']), /^Error: first[\s\S]*then, while undoing: Error: later/);
});
