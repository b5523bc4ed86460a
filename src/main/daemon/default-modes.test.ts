import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultModes } from './default-modes.ts';

test('the namespaces of containers that name none', () => {
  assert.deepEqual(defaultModes({}), { defaultIpcMode: 'private', defaultCgroupnsMode: undefined });
  const given = { 'default-ipc-mode': 'shareable', 'default-cgroupns-mode': 'host' };
  assert.deepEqual(defaultModes(given), { defaultIpcMode: 'shareable', defaultCgroupnsMode: 'host' });
});

test('another mode is refused as dockerd refuses it', () => {
  assert.throws(() => defaultModes({ 'default-ipc-mode': 'host' }), {
    kind: 'invalid',
    message: 'IPC mode "host" is not supported as default value. Use "shareable" or "private".',
  });
  assert.throws(() => defaultModes({ 'default-cgroupns-mode': 'x' }), {
    kind: 'invalid',
    message: 'default cgroup namespace mode (x) is invalid; use "host" or "private"',
  });
});
