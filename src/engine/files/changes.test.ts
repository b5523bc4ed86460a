import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compared, ComparedFile } from '../../kernel/files/compare.ts';
import { judge } from './changes.ts';

const file = (changes: Partial<ComparedFile> = {}): ComparedFile => ({
  mode: 0o100644,
  uid: 0,
  gid: 0,
  size: 3,
  mtime: { seconds: 5, nanos: 6 },
  devMajor: 0,
  devMinor: 0,
  capability: '',
  ...changes,
});
const dir = (changes: Partial<ComparedFile> = {}): ComparedFile => file({ mode: 0o040755, ...changes });
const one = (path: string, now: ComparedFile | undefined, before?: ComparedFile): Compared => ({
  path,
  file: now,
  before,
});
const told = (...compared: Compared[]): string[] => judge(compared).map(({ kind, path }) => `${kind} ${path}`);

test('a file is modified when any of its facts is', () => {
  for (const changed of [
    { mode: 0o100600 },
    { uid: 1 },
    { gid: 1 },
    { size: 4 },
    { mtime: { seconds: 6, nanos: 6 } },
    { mtime: { seconds: 5, nanos: 7 } },
    { capability: 'x' },
    { devMinor: 1 },
  ]) {
    assert.deepEqual(told(one('/f', file(changed), file())), ['modified /f'], JSON.stringify(changed));
  }
  assert.deepEqual(told(one('/f', file(), file())), []);
  assert.deepEqual(told(one('/f', file({ mtime: { seconds: 5, nanos: 0 } }), file())), [], 'whole seconds are kept');
});

test('a directory is modified by its mode, and by what is in it, not by its time', () => {
  const later = { mtime: { seconds: 9, nanos: 9 }, size: 9 };
  assert.deepEqual(told(one('/d', dir(later), dir())), []);
  assert.deepEqual(told(one('/d', dir({ mode: 0o040700 }), dir())), ['modified /d']);
  assert.deepEqual(told(one('/d', dir(later), dir()), one('/d/e', dir(), dir()), one('/d/e/f', file())), [
    'modified /d',
    'modified /d/e',
    'added /d/e/f',
  ]);
});

test('what is gone and what came are told, each once', () => {
  assert.deepEqual(told(one('/b', dir(), dir()), one('/b/x', undefined), one('/a', dir()), one('/a/n', file())), [
    'added /a',
    'added /a/n',
    'modified /b',
    'deleted /b/x',
  ]);
  assert.deepEqual(told(one('/t', file(), dir())), ['modified /t']);
});
