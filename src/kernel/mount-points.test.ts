import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPoints, parseMountPoints } from './mount-points.ts';

test('blanks and backslashes are unescaped', () => {
  const table = '36 35 98:0 / /mnt/a\\040b\\134c rw - ext4 /dev/x rw\n37 36 0:3 / /proc rw - proc proc rw\n';
  assert.deepEqual(parseMountPoints(table), ['/mnt/a b\\c', '/proc']);
});

test('only mounts at or below the directory', async () => {
  assert.ok((await mountPoints('/proc')).includes('/proc'));
  assert.deepEqual(await mountPoints('/no/such/place'), []);
});
