import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveName, containerPath, nameOfPath } from './container-path.ts';

test('a path is taken from the root and keeps its end', () => {
  const cases: [given: string, path: string, name: string][] = [
    ['/', '/', '/'],
    ['.', '/.', '.'],
    ['/w', '/w', 'w'],
    ['w/', '/w/', 'w'],
    ['/w/.', '/w/.', '.'],
    ['../../etc', '/etc', 'etc'],
    ['/a/../b//c', '/b/c', 'c'],
    ['/a/..', '/', '/'],
  ];
  for (const [given, path, name] of cases) {
    assert.deepEqual([containerPath(given), nameOfPath(given)], [path, name], given);
  }
});

test('what is below is named after it', () => {
  assert.deepEqual(
    [archiveName('/', ''), archiveName('/', 'a/b'), archiveName('w', ''), archiveName('w', 'a'), archiveName('.', '')],
    ['/', '/a/b', 'w', 'w/a', './'],
  );
  assert.equal(archiveName('.', 'a'), './a');
});
