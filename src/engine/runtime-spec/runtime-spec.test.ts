import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupsPath, runtimeSpec } from './runtime-spec.ts';
import { type Asked, ROOT, testContainer, testHost } from './test-container.ts';

const of = (asked: Asked = {}, host = testHost()) =>
  runtimeSpec({ container: testContainer(asked), host, netnsPath: '/run/netns/x', user: ROOT });

test('the root file system is where the shim mounts it', () => {
  assert.deepEqual(of().root, { path: 'rootfs' });
  assert.deepEqual(of({ HostConfig: { ReadonlyRootfs: true } }).root, { path: 'rootfs', readonly: true });
});

test('low ports and pings are free in a network of its own, not in another', () => {
  const names = (NetworkMode: string) => Object.keys(of({ HostConfig: { NetworkMode } }).linux.sysctl ?? {});
  assert.deepEqual(names('bridge'), ['net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range']);
  assert.deepEqual(names('none'), names('bridge'));
  assert.deepEqual([names('host'), names('container:x')], [[], []]);
});

test('sysctls that are asked for win, also by the domain name', () => {
  const asked = {
    Domainname: 'example.org',
    HostConfig: { Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '1024' } },
  };
  const { sysctl } = of(asked).linux;
  assert.equal(sysctl?.['net.ipv4.ip_unprivileged_port_start'], '1024');
  assert.equal(sysctl?.['kernel.domainname'], 'example.org');
});

test('annotations and the hostname', () => {
  assert.deepEqual(of({ HostConfig: { Annotations: { a: 'b' } } }).annotations, { a: 'b' });
  assert.equal('annotations' in of(), false);
  assert.equal(of({ Hostname: 'me' }).hostname, 'me');
  assert.equal('hostname' in of({ HostConfig: { UTSMode: 'host' } }), false);
});

test('privileged: nothing hidden, nothing filtered, every device', () => {
  const { linux, process } = of({ HostConfig: { Privileged: true } });
  assert.deepEqual([linux.maskedPaths, linux.readonlyPaths, linux.seccomp], [undefined, undefined, undefined]);
  assert.equal(linux.devices?.length, 3);
  assert.deepEqual(process.capabilities.effective, testHost().capabilities);
});

test('the filter knows the capabilities that were added', () => {
  const open = of({ HostConfig: { CapAdd: ['SYS_ADMIN'] } }).linux.seccomp;
  assert.equal(
    open?.syscalls.some(({ names }) => names.includes('mount')),
    true,
  );
  assert.equal(
    of().linux.seccomp?.syscalls.some(({ names }) => names.includes('mount')),
    false,
  );
});

test('a cgroup of its own below the parent', () => {
  const path = (CgroupParent: string) => cgroupsPath(testContainer({ HostConfig: { CgroupParent } }), testHost());
  assert.equal(path(''), '/docker/ID');
  assert.equal(path('/a/b/'), '/a/b/ID');
  assert.equal(path('a'), '/a/ID');
});

test('it is plain JSON', () => {
  const spec = of({ Tty: true, HostConfig: { Memory: 10 << 20, Privileged: true } });
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
});
