import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerDevices, parseDeviceRule } from './devices.ts';
import { testHost, testHostConfig } from './test-container.ts';

const host = testHost();
const of = (asked: object) => containerDevices(testHostConfig(asked), host);
const map = (PathOnHost: string, PathInContainer = PathOnHost, CgroupPermissions = 'rwm') => ({
  Devices: [{ PathOnHost, PathInContainer, CgroupPermissions }],
});

test('by default everything is denied but six devices', () => {
  const { devices, rules } = of({});
  assert.deepEqual(devices, []);
  assert.deepEqual(rules[0], { allow: false, access: 'rwm' });
  assert.equal(rules.filter(({ allow }) => allow).length, 6);
});

test('a mapped device is made at its path in the container and let through as far as asked', () => {
  const { devices, rules } = of(map('/dev/loop0', '/dev/x', 'r'));
  assert.deepEqual(devices, [{ path: '/dev/x', type: 'b', major: 7, minor: 0, fileMode: 0o600, uid: 0, gid: 0 }]);
  assert.deepEqual(rules.at(-1), { allow: true, type: 'b', major: 7, minor: 0, access: 'r' });
});

test('a directory maps every device below it', () => {
  const { devices } = of(map('/dev', '/host-dev'));
  assert.deepEqual(
    devices.map(({ path }) => path),
    ['/host-dev/fuse', '/host-dev/loop0', '/host-dev/vda'],
  );
});

test('a path without a device is refused in the words of Docker', () => {
  const refused = (path: string, why: string) =>
    assert.throws(() => of(map(path)), {
      kind: 'invalid',
      message: `error gathering device information while adding custom device "${path}": ${why}`,
    });
  refused('/dev/nope', 'no such file or directory');
  refused('/etc/passwd', 'not a device node');
});

test('privileged: every device of the host, and those mapped elsewhere at both places', () => {
  const { devices, rules } = of({ Privileged: true, ...map('/dev/fuse', '/dev/other') });
  assert.deepEqual(
    devices.map(({ path }) => path),
    ['/dev/fuse', '/dev/loop0', '/dev/vda', '/dev/other'],
  );
  assert.deepEqual(rules, [{ allow: true, access: 'rwm' }]);
});

test('rules: the parts and their wildcards', () => {
  assert.deepEqual(parseDeviceRule('c 1:3 mr'), { allow: true, type: 'c', major: 1, minor: 3, access: 'mr' });
  assert.deepEqual(parseDeviceRule('a *:* rwm'), { allow: true, type: 'a', major: -1, minor: -1, access: 'rwm' });
  for (const wrong of ['foo', 'c 1:3', 'd 1:3 r', 'c 1:3 x', 'c -1:3 r', 'c 1:3 rwmr', 'c 1:3 r ']) {
    assert.throws(() => parseDeviceRule(wrong), {
      kind: 'invalid',
      message: `invalid device cgroup rule format: '${wrong}'`,
    });
  }
  assert.throws(() => parseDeviceRule('c 9223372036854775808:1 r'), {
    message: "invalid major value in device cgroup rule format: 'c 9223372036854775808:1 r'",
  });
  assert.throws(() => parseDeviceRule('c 1:9223372036854775808 r'), { message: /^invalid minor value in device/ });
});
