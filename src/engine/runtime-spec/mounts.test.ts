import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toContainerMount } from '../containers/mounts.ts';
import { containerMounts, rootPropagation } from './mounts.ts';
import { type Asked, testContainer, testHost } from './test-container.ts';
import { parseBind } from './wanted-mounts.ts';

const mountsOf = (hostConfig: object, host = testHost(), shm?: string) =>
  containerMounts({ container: testContainer({ HostConfig: hostConfig }), host, shm });
const at = (mounts: ReturnType<typeof mountsOf>, path: string) =>
  mounts.filter(({ destination }) => destination === path);
const options = (hostConfig: object, path: string, host = testHost()) =>
  at(mountsOf(hostConfig, host), path)[0]?.options.join(',');

test('deeper places are mounted later, whatever the order they are asked for in', () => {
  const mounts = mountsOf({ Binds: ['/tmp:/a/b/c', '/tmp:/a', '/tmp:/a/b'] });
  const places = mounts.map(({ destination }) => destination).filter((path) => path.startsWith('/a'));
  assert.deepEqual(places, ['/a', '/a/b', '/a/b/c']);
});

test('a mount of the user takes the place of ours', () => {
  const hosts = at(mountsOf({ Binds: ['/my/hosts:/etc/hosts'] }), '/etc/hosts');
  assert.deepEqual(
    hosts.map(({ source }) => source),
    ['/my/hosts'],
  );
  const dev = mountsOf({ Binds: ['/dev:/dev'] }).map(({ destination }) => destination);
  assert.deepEqual(
    dev.filter((path) => path.startsWith('/dev')),
    ['/dev'],
  );
});

test('read-only is so with all below where the kernel can', () => {
  const old = testHost({ kernel: { release: '5.4.0', major: 5, minor: 4 } });
  assert.equal(options({ Binds: ['/a:/x:ro'] }, '/x'), 'rbind,ro,rro,rprivate');
  assert.equal(options({ Binds: ['/a:/x:ro'] }, '/x', old), 'rbind,ro,rprivate');
  const mount = (over: object) => ({
    Mounts: [{ Type: 'bind', Source: '/a', Target: '/x', ReadOnly: true, BindOptions: over }],
  });
  assert.equal(options(mount({ ReadOnlyNonRecursive: true }), '/x'), 'rbind,ro,rprivate');
  assert.equal(options(mount({ NonRecursive: true }), '/x'), 'bind,ro,rprivate');
  assert.throws(() => options(mount({ ReadOnlyForceRecursive: true }), '/x', old), { kind: 'invalid' });
});

test('propagation must be possible on the host', () => {
  const on = (shared: boolean, slave = false) =>
    testHost({ propagationAt: () => ({ mountPoint: '/m', shared, slave }) });
  assert.equal(options({ Binds: ['/m/a:/x:shared'] }, '/x', on(true)), 'rbind,shared');
  assert.equal(options({ Binds: ['/m/a:/x:rslave'] }, '/x', on(false, true)), 'rbind,rslave');
  assert.throws(() => options({ Binds: ['/m/a:/x:rshared'] }, '/x', on(false)), {
    kind: 'invalid',
    message: 'path /m/a is mounted on /m but it is not a shared mount',
  });
  assert.throws(() => options({ Binds: ['/m/a:/x:slave'] }, '/x', on(false)), {
    kind: 'invalid',
    message: 'path /m/a is mounted on /m but it is not a shared or slave mount',
  });
});

test('the root file system propagates as far as a bind needs', () => {
  const host = testHost({ propagationAt: () => ({ mountPoint: '/', shared: true, slave: false }) });
  const of = (...Binds: string[]) => rootPropagation(testContainer({ HostConfig: { Binds } }), host);
  assert.equal(of('/a:/x', '/b:/y:private'), undefined);
  assert.equal(of('/a:/x:slave'), 'rslave');
  assert.equal(of('/a:/x:rslave', '/b:/y:rshared'), 'shared');
});

test('a bind near the engine brings its mounts along only as a slave', () => {
  const planned = (source: string, mode = '') =>
    toContainerMount(parseBind(`${source}:/x${mode}`), ['/data', '/run/gantry']);
  for (const near of ['/', '/run', '/run/gantry', '/run/gantry/bundles', '/data']) {
    assert.equal(planned(near).propagation, 'rslave', near);
  }
  for (const beside of ['/ru', '/srv', '/run/other', '/data2'])
    assert.equal(planned(beside).propagation, 'rprivate', beside);
  assert.equal(planned('/', ':rshared').propagation, 'rshared');
  assert.throws(() => planned('/data/x', ':private'), {
    kind: 'invalid',
    message:
      'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, ' +
      'daemon root: "/data", bind mount source: "/data/x", propagation: "private"',
  });
  // What nobody asked for must not fail where the host lets nothing travel.
  const root = testContainer({ HostConfig: { Binds: ['/:/x'] } });
  assert.equal(rootPropagation(root, testHost()), undefined);
  assert.equal(options({ Binds: ['/:/x'] }, '/x'), 'rbind,rslave');
});

test('an image is bound from where it is mounted, and never to be written to', () => {
  const image = { type: 'image' as const, name: 'i', source: '', destination: '/i', driver: '', mode: '', rw: false };
  const manner = { image: { id: 'sha256:1', kind: 'directory' as const, paths: ['/l/B', '/l/A'] } };
  const container = { ...testContainer(), mounts: [{ ...image, propagation: 'rprivate', manner }] };
  const of = (images?: Map<string, string>) => at(containerMounts({ container, host: testHost(), images }), '/i')[0];
  assert.deepEqual(of(new Map([['/i', '/bundle/image-0']])), {
    destination: '/i',
    type: 'bind',
    source: '/bundle/image-0',
    options: ['bind', 'ro', 'rprivate'],
  });
  assert.throws(() => of(), { kind: 'internal' });
});

test('a runtime that cannot make a tree read-only makes the top so, unless the whole is required', () => {
  const why = 'rro is not supported by runtime "x"';
  const mounts = (over: object) => {
    const Mounts = [{ Type: 'bind', Source: '/a', Target: '/x', ReadOnly: true, BindOptions: over }];
    const container = testContainer({ HostConfig: { Mounts } });
    return at(containerMounts({ container, host: testHost(), noRecursiveReadOnly: why }), '/x')[0]?.options.join(',');
  };
  assert.equal(mounts({}), 'rbind,ro,rprivate');
  assert.throws(() => mounts({ ReadOnlyForceRecursive: true }), { kind: 'invalid', message: why });
});

test('shared memory: of its own, of the host, shared, none', () => {
  assert.equal(options({ ShmSize: 1000 }, '/dev/shm')?.endsWith('size=1000'), true);
  assert.equal(at(mountsOf({ IpcMode: 'host' }), '/dev/shm')[0]?.source, '/dev/shm');
  assert.equal(at(mountsOf({ IpcMode: 'shareable' }, testHost(), '/run/shm/ID'), '/dev/shm')[0]?.source, '/run/shm/ID');
  assert.equal(at(mountsOf({ IpcMode: 'container:x' }, testHost(), '/run/shm/X'), '/dev/shm')[0]?.source, '/run/shm/X');
  assert.deepEqual(at(mountsOf({ IpcMode: 'none' }), '/dev/shm'), []);
  assert.throws(() => mountsOf({ IpcMode: 'shareable' }), { kind: 'internal' });
});

test('privileged writes to /sys and to its cgroups; without it only by writable-cgroups', () => {
  const writable = (hostConfig: object, path: string) => !options(hostConfig, path)?.split(',').includes('ro');
  assert.deepEqual([writable({}, '/sys'), writable({}, '/sys/fs/cgroup')], [false, false]);
  assert.deepEqual(
    [writable({ Privileged: true }, '/sys'), writable({ Privileged: true }, '/sys/fs/cgroup')],
    [true, true],
  );
  const cgroups = { SecurityOpt: ['writable-cgroups=true'] };
  assert.deepEqual([writable(cgroups, '/sys'), writable(cgroups, '/sys/fs/cgroup')], [false, true]);
  assert.ok(writable({ SecurityOpt: ['writable-cgroups'] }, '/sys/fs/cgroup'));
  assert.ok(!writable({ Privileged: true, SecurityOpt: ['writable-cgroups=false'] }, '/sys/fs/cgroup'));
});

test('volumes come from where the engine put them', () => {
  const asked: Asked = { HostConfig: { Binds: ['data:/d'] } };
  const volume = { type: 'volume' as const, name: 'data', source: '/v/data', destination: '/d', driver: 'local' };
  const container = { ...testContainer(asked), mounts: [{ ...volume, mode: '', rw: false, propagation: '' }] };
  const [mount] = at(containerMounts({ container, host: testHost(), shm: undefined }), '/d');
  assert.deepEqual(mount, { destination: '/d', type: 'bind', source: '/v/data', options: ['rbind', 'ro', 'rro'] });
});

test('an init there is not is said, rather than mounted from nowhere', () => {
  const bare = testHost({ initBinary: '' });
  assert.throws(() => mountsOf({ Init: true }, bare), {
    kind: 'unavailable',
    message: /"docker-init" is not installed/,
  });
  assert.doesNotThrow(() => mountsOf({ Init: true, PidMode: 'host' }, bare));
  assert.equal(at(mountsOf({ Init: true }), '/sbin/docker-init')[0]?.source, '/usr/bin/docker-init');
});
