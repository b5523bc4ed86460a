import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followed, localPath, meansDirectory, splitArgument, splitLast } from './copy-paths.ts';

test('an argument names a container unless it looks like a path', () => {
  const cases: [argument: string, container: string, path: string][] = [
    ['c:/a', 'c', '/a'],
    ['c:a:b', 'c', 'a:b'],
    ['c:', 'c', ''],
    ['/a:b', '', '/a:b'],
    ['./a:b', '', './a:b'],
    ['a', '', 'a'],
    ['-', '', '-'],
  ];
  for (const [argument, container, path] of cases) assert.deepEqual(splitArgument(argument), { container, path });
});

test('a path is taken apart with a dot at its end as a part', () => {
  const cases: [path: string, dir: string, base: string][] = [
    ['/a/b', '/a', 'b'],
    ['/a/b/', '/a', 'b'],
    ['/a/.', '/a', '.'],
    ['/', '/', '/'],
    ['/.', '/', '.'],
    ['a', '.', 'a'],
  ];
  for (const [path, dir, base] of cases) assert.deepEqual(splitLast(path), { dir, base }, path);
});

test('the end of a local path is kept', () => {
  const here = process.cwd();
  assert.deepEqual(['a', 'a/', 'a/.', '.', '/', '/a/../b/'].map(localPath), [
    `${here}/a`,
    `${here}/a/`,
    `${here}/a/.`,
    `${here}/.`,
    '/',
    '/b/',
  ]);
  assert.deepEqual(['a', 'a/', 'a/.', '.', ''].map(meansDirectory), [false, true, true, true, true]);
});

test('what a link leads to is called as the link was', () => {
  assert.deepEqual(followed('/l', '/t'), { path: '/t', rename: 'l' });
  assert.deepEqual(followed('/l/', '/t'), { path: '/t/', rename: 'l' });
  assert.deepEqual(followed('/l/.', '/t'), { path: '/t/.', rename: '' });
  assert.deepEqual(followed('/a/l', '/b/l'), { path: '/b/l', rename: '' });
});
