import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idMappings, namespaces, peerOf, userNamespace } from './namespaces.ts';
import { testHostConfig } from './test-container.ts';

const of = (asked: object, netns: string | undefined = '/run/netns/a', peers = {}) =>
  namespaces(testHostConfig(asked), netns, peers).map(({ type, path }) =>
    path === undefined ? type : `${type}=${path}`,
  );

test('new ones, and the network that was prepared', () => {
  assert.deepEqual(of({}), ['mount', 'network=/run/netns/a', 'uts', 'pid', 'ipc']);
  assert.deepEqual(of({ CgroupnsMode: 'private' }).at(-1), 'cgroup');
});

test('of the host is none at all', () => {
  const modes = { PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' };
  assert.deepEqual(namespaces(testHostConfig(modes), undefined, {}), [{ type: 'mount' }]);
});

test('of another container is joined through its first process', () => {
  const joined = of({ PidMode: 'container:a', IpcMode: 'container:b' }, undefined, { pid: 7, ipc: 8 });
  assert.deepEqual(joined.slice(-2), ['pid=/proc/7/ns/pid', 'ipc=/proc/8/ns/ipc']);
  assert.throws(() => of({ PidMode: 'container:a' }), { kind: 'internal' });
  assert.equal(peerOf('container:abc'), 'abc');
});

test('an ipc namespace of its own also without shared memory, or to be shared', () => {
  for (const IpcMode of ['none', 'shareable', 'private']) assert.equal(of({ IpcMode }).includes('ipc'), true, IpcMode);
});

test('a remapped container is in the user namespace of whom it joins, else in the engine’s', () => {
  const maps = { uid: [{ container: 0, host: 7, size: 9 }], gid: [{ container: 0, host: 8, size: 9 }] };
  const userns = { path: '/run/userns', maps };
  assert.deepEqual(userNamespace(undefined), []);
  assert.deepEqual(userNamespace(userns), [{ type: 'user', path: '/run/userns' }]);
  assert.deepEqual(userNamespace(userns, { ipc: 'host', network: 12 }), [{ type: 'user', path: '/proc/12/ns/user' }]);
  assert.deepEqual(idMappings(userns), {
    uidMappings: [{ containerID: 0, hostID: 7, size: 9 }],
    gidMappings: [{ containerID: 0, hostID: 8, size: 9 }],
  });
  assert.deepEqual(idMappings(undefined), {});
});
