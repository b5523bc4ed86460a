import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCopy } from './plan-copy.ts';

const file = { path: '/from/f', isDirectory: false, rename: '' };
const dir = { path: '/from/d', isDirectory: true, rename: '' };
const nothing = (path: string) => ({ path, exists: false, isDirectory: false });
const aFile = { path: '/to/x', exists: true, isDirectory: false };
const aDirectory = { path: '/to/x', exists: true, isDirectory: true };

test('into a directory, onto a file, or under a new name', () => {
  assert.deepEqual(planCopy(file, aDirectory), { directory: '/to/x', rename: undefined });
  assert.deepEqual(planCopy(dir, aDirectory), { directory: '/to/x', rename: undefined });
  assert.deepEqual(planCopy(file, aFile), { directory: '/to', rename: { from: 'f', to: 'x' } });
  assert.deepEqual(planCopy(file, nothing('/to/n')), { directory: '/to', rename: { from: 'f', to: 'n' } });
  assert.deepEqual(planCopy(dir, nothing('/to/n/')), { directory: '/to', rename: { from: 'd', to: 'n' } });
  assert.deepEqual(planCopy({ ...dir, path: '/from/d/.' }, nothing('/to/n')).rename, { from: '.', to: 'n' });
  assert.deepEqual(planCopy({ ...file, rename: 'link' }, aFile).rename, { from: 'link', to: 'x' });
});

test('a directory does not go onto a file, a file not into nothing', () => {
  assert.throws(() => planCopy(dir, aFile), { message: 'cannot copy directory' });
  for (const path of ['/to/n/', '/to/n/.']) {
    assert.throws(() => planCopy(file, nothing(path)), { message: 'no such directory' });
  }
});
