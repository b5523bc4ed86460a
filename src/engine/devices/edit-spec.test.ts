import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { ContainerEditsSchema } from '../../spec/cdi.ts';
import { runtimeSpec } from '../runtime-spec/runtime-spec.ts';
import { type Asked, ROOT, testContainer, testHost } from '../runtime-spec/test-container.ts';
import { editSpec } from './edit-spec.ts';

const host = testHost();

function edited(edits: object, asked: Asked = {}, user = ROOT) {
  const spec = runtimeSpec({ container: testContainer(asked), host, netnsPath: '/run/netns/x', user });
  return editSpec(spec, [v.parse(ContainerEditsSchema, edits)], host);
}

test('a device is filled in from the host, made, and let through', () => {
  const { devices, resources } = edited({ deviceNodes: [{ path: '/dev/mine', hostPath: '/dev/fuse' }] }).linux;
  assert.deepEqual(devices, [{ path: '/dev/mine', type: 'c', major: 10, minor: 229, fileMode: 0o600, uid: 0, gid: 0 }]);
  assert.deepEqual(resources.devices?.at(-1), { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' });
});

test('a device that is described in full need not be there', () => {
  const node = { path: '/dev/x', type: 'b', major: 8, minor: 1, fileMode: 0o640, permissions: 'r', gid: 5 };
  const { devices, resources } = edited({ deviceNodes: [node] }, {}, { ...ROOT, uid: 7 }).linux;
  assert.deepEqual(devices, [{ path: '/dev/x', type: 'b', major: 8, minor: 1, fileMode: 0o640, uid: 7, gid: 5 }]);
  assert.equal(resources.devices?.at(-1)?.access, 'r');
});

test('one that the host does not have is refused', () => {
  const refused = (hostPath: string) => () => edited({ deviceNodes: [{ path: '/dev/x', hostPath }] });
  assert.throws(refused('/dev/gone'), {
    kind: 'invalid',
    message: /failed to stat CDI host device "\/dev\/gone": no such/,
  });
  assert.throws(refused('/etc/passwd'), { kind: 'invalid', message: /not a device node$/ });
});

test('variables replace those of the same name', () => {
  const { env } = edited({ env: ['A=2', 'B=1'] }, { Env: ['A=1'] }).process;
  assert.deepEqual(env.slice(-2), ['A=2', 'B=1']);
});

test('mounts replace those at the same place, and stand where their depth puts them', () => {
  const mounts = edited(
    { mounts: [{ hostPath: '/opt/x', containerPath: '/data/in', options: ['ro'] }] },
    { HostConfig: { Binds: ['/tmp:/data/in', '/tmp:/data/in/deep'] } },
  ).mounts.filter(({ destination }) => destination.startsWith('/data'));
  assert.deepEqual(mounts[0], { destination: '/data/in', type: 'bind', source: '/opt/x', options: ['rbind', 'ro'] });
  assert.deepEqual(
    mounts.map(({ destination }) => destination),
    ['/data/in', '/data/in/deep'],
  );
});

test('hooks, groups and cache allocation are passed on', () => {
  const { hooks, process, linux } = edited({
    hooks: [{ hookName: 'createContainer', path: '/bin/hook', args: ['hook', 'x'], timeout: 5 }],
    additionalGids: [0, 44],
    intelRdt: { closID: 'c' },
  });
  assert.deepEqual(hooks, { createContainer: [{ path: '/bin/hook', args: ['hook', 'x'], env: [], timeout: 5 }] });
  assert.deepEqual(process.user.additionalGids, [0, 44]);
  assert.deepEqual(linux.intelRdt, { closID: 'c' });
});
