import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { MountSchema } from '../../spec/container.ts';
import { mountRequest } from './mount.ts';

const shown = (mount: object) => mountRequest(v.parse(MountSchema, mount));

test('a mount is shown as it was asked for', () => {
  assert.deepEqual(shown({ Type: 'tmpfs', Target: '/t' }), { Type: 'tmpfs', Target: '/t' });
  const bind = { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rslave' } };
  assert.deepEqual(shown(bind), bind);
  const volume = { Type: 'volume', Target: '/v', VolumeOptions: { NoCopy: true, Labels: { a: '' } } };
  assert.deepEqual(shown(volume), volume);
});

test('options that were given empty stay, their zeros do not', () => {
  assert.deepEqual(shown({ Type: 'bind', BindOptions: { NonRecursive: false } }), { Type: 'bind', BindOptions: {} });
  assert.deepEqual(shown({ Type: 'volume', VolumeOptions: { Labels: {}, DriverConfig: { Name: 'local' } } }), {
    Type: 'volume',
    VolumeOptions: { DriverConfig: { Name: 'local' } },
  });
});
