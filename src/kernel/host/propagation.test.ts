import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propagationIn } from './propagation.ts';

const TABLE = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /srv rw shared:7 - tmpfs tmpfs rw
31 30 0:27 / /srv/a\\040b rw shared:8 master:3 - tmpfs tmpfs rw
32 30 0:28 / /srv/slave rw master:7 - tmpfs tmpfs rw
33 30 0:29 / /srv/slave rw - tmpfs tmpfs rw
`;

test('the nearest mount above a path decides', () => {
  assert.deepEqual(propagationIn(TABLE, '/etc'), { mountPoint: '/', shared: false, slave: false });
  assert.deepEqual(propagationIn(TABLE, '/srv'), { mountPoint: '/srv', shared: true, slave: false });
  assert.deepEqual(propagationIn(TABLE, '/srv/x/y'), { mountPoint: '/srv', shared: true, slave: false });
  assert.deepEqual(propagationIn(TABLE, '/srvx'), { mountPoint: '/', shared: false, slave: false });
});

test('blanks in names, and mounts that are both', () => {
  assert.deepEqual(propagationIn(TABLE, '/srv/a b/c'), { mountPoint: '/srv/a b', shared: true, slave: true });
});

test('of mounts on one point the last counts', () => {
  assert.deepEqual(propagationIn(TABLE, '/srv/slave/x'), { mountPoint: '/srv/slave', shared: false, slave: false });
});
