import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseFlags } from '../flags/parse-flags.ts';
import { containerBody } from './container-body.ts';
import { containerFlags } from './container-flags.ts';
import { parseReference } from './image-reference.ts';
import { parseMount } from './mount.ts';
import { parsePublish } from './ports.ts';

const specs = containerFlags('');
const bodyOf = (...words: string[]) => {
  const flags = parseFlags(specs, words, false);
  return containerBody(flags, { env: { FROM_ENV: 'yes' }, words: flags.args });
};

test('a plain run: attached to outputs only', () => {
  const body = bodyOf('busybox', 'echo', '-n', 'hi');
  assert.equal(body.Image, 'busybox');
  assert.deepEqual(body['Cmd'], ['echo', '-n', 'hi']);
  assert.deepEqual(
    [body.AttachStdin, body.AttachStdout, body.AttachStderr, body.OpenStdin],
    [false, true, true, false],
  );
  assert.equal(body.HostConfig['NetworkMode'], 'default');
  assert.deepEqual(body.NetworkingConfig.EndpointsConfig, {});
});

test('-i opens standard input once', () => {
  const body = bodyOf('-it', 'busybox');
  assert.deepEqual([body.Tty, body.OpenStdin, body.StdinOnce, body.AttachStdin], [true, true, true, true]);
});

test('environment: values, names from our own, files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-cli-'));
  try {
    const file = join(dir, 'env');
    writeFileSync(file, '# note\n\nA=1=2\nFROM_ENV\nUNSET\n');
    const body = bodyOf('--env-file', file, '-e', 'B=x y', '-e', 'FROM_ENV', '-e', 'GONE', 'busybox');
    assert.deepEqual(body['Env'], ['A=1=2', 'FROM_ENV=yes', 'B=x y', 'FROM_ENV=yes', 'GONE']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('resources and namespaces reach the host config', () => {
  const body = bodyOf(
    '-m',
    '64m',
    '--cpus',
    '.5',
    '--pids-limit',
    '9',
    '--ulimit',
    'nofile=1:2',
    '--pid',
    'host',
    '--init',
    'b',
  );
  const { Memory, NanoCpus, PidsLimit, Ulimits, PidMode, Init } = body.HostConfig;
  assert.deepEqual([Memory, NanoCpus, PidsLimit, PidMode, Init], [64 * 1024 ** 2, 5e8, 9, 'host', true]);
  assert.deepEqual(Ulimits, [{ Name: 'nofile', Soft: 1, Hard: 2 }]);
});

test('volumes, tmpfs and devices', () => {
  const body = bodyOf('-v', '/a:/b:ro', '-v', '/anon', '--tmpfs', '/t:size=1m', '--device', '/dev/null:/dev/x:r', 'b');
  assert.deepEqual(body.HostConfig['Binds'], ['/a:/b:ro']);
  assert.deepEqual(body['Volumes'], { '/anon': {} });
  assert.deepEqual(body.HostConfig['Tmpfs'], { '/t': 'size=1m' });
  assert.deepEqual(body.HostConfig['Devices'], [
    { PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' },
  ]);
});

test('networks with addresses and aliases', () => {
  const body = bodyOf('--network', 'name=n1,ip=10.0.0.2,alias=x', '--network-alias', 'y', 'b');
  assert.equal(body.HostConfig['NetworkMode'], 'n1');
  assert.deepEqual(body.NetworkingConfig.EndpointsConfig, {
    n1: { IPAMConfig: { IPv4Address: '10.0.0.2', IPv6Address: undefined, LinkLocalIPs: [] }, Aliases: ['x', 'y'] },
  });
});

test('what docker refuses before asking the engine', () => {
  const cases: [string[], string][] = [
    [['-p', 'abc', 'b'], 'invalid containerPort: abc'],
    [['-p', '99999:80', 'b'], 'invalid hostPort: 99999'],
    [['--device', 'a:b:c:d', 'b'], 'bad format for path: a:b:c:d'],
    [['--rm', '--restart', 'always', 'b'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--pid', 'foo', 'b'], '--pid: invalid PID mode'],
    [['--memory-swappiness', '200', 'b'], 'invalid value: 200. Valid memory swappiness range is 0-100'],
    [['--no-healthcheck', '--health-cmd', 'x', 'b'], '--no-healthcheck conflicts with --health-* options'],
    [['--security-opt', 'x', 'b'], 'Invalid --security-opt: "x"'],
    [
      ['--mount', 'foo', 'b'],
      `invalid argument "foo" for "--mount" flag: invalid field 'foo' must be a key=value pair`,
    ],
    [['--ulimit', 'x', 'b'], 'invalid argument "x" for "--ulimit" flag: invalid ulimit argument: x'],
  ];
  for (const [words, message] of cases) assert.throws(() => bodyOf(...words), { message });
});

test('ports: ranges, addresses, protocols', () => {
  const { bindings } = parsePublish(['8080:80', '127.0.0.1::53/udp', '[::1]:9000-9001:90-91', '7000-7005:70']);
  assert.deepEqual(bindings, {
    '80/tcp': [{ HostIp: '', HostPort: '8080' }],
    '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    '90/tcp': [{ HostIp: '::1', HostPort: '9000' }],
    '91/tcp': [{ HostIp: '::1', HostPort: '9001' }],
    '70/tcp': [{ HostIp: '', HostPort: '7000-7005' }],
  });
});

test('mounts', () => {
  assert.deepEqual(parseMount('type=bind,src=/a,"dst=/b,c",ro'), {
    Type: 'bind',
    Source: '/a',
    Target: '/b,c',
    ReadOnly: true,
  });
  assert.deepEqual(parseMount('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777').TmpfsOptions, {
    SizeBytes: 1048576,
    Mode: 0o1777,
  });
  assert.throws(() => parseMount('type=bind'), { message: 'target is required' });
});

test('image names', () => {
  assert.deepEqual(parseReference('localhost:5000/a/b:1'), { name: 'localhost:5000/a/b', tag: '1', digest: undefined });
  assert.deepEqual(parseReference('docker.io/library/busybox'), { name: 'busybox', tag: undefined, digest: undefined });
  assert.throws(() => parseReference('Foo'), {
    message: 'invalid reference format: repository name (library/Foo) must be lowercase',
  });
  assert.throws(() => parseReference('foo:BAR:x'), { message: 'invalid reference format' });
});
