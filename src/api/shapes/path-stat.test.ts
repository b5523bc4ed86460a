import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goFileMode, pathStatHeader } from './path-stat.ts';

test('modes are written as Go has them', () => {
  const cases: [unix: number, go: number][] = [
    [0o100644, 0o644],
    [0o040755, 2147484141],
    [0o120777, 134218239],
    [0o010644, 33554852],
    [0o104755, 8389101],
    [0o102755, 4194797],
    [0o041777, 2148532735],
    [0o020666, 69206454],
    [0o060660, 67109296],
    [0o140755, 16777709],
  ];
  for (const [unix, go] of cases) assert.equal(goFileMode(unix), go, unix.toString(8));
});

test('the header is JSON in base64', () => {
  const stat = { name: 'ü', size: 3, mode: 0o100644, mtime: 1_500_000_000_120_000_000n, linkTarget: '' };
  assert.equal(
    Buffer.from(pathStatHeader(stat), 'base64').toString(),
    '{"name":"ü","size":3,"mode":420,"mtime":"2017-07-14T02:40:00.12Z","linkTarget":""}',
  );
});
