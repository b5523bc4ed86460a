import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../../kernel/host/find-program.ts';
import { probeHost } from '../../kernel/host/host-facts.ts';
import { randomId } from '../../util/id.ts';
import { run } from '../../util/spawn.ts';
import { resolveUser } from './resolve-user.ts';
import { runtimeSpec } from './runtime-spec.ts';
import { type Asked, testContainer } from './test-container.ts';

const RUNC = findProgram('runc');
const BUSYBOX = '/bin/busybox';
const skip = process.getuid?.() !== 0 ? 'needs root to run containers' : RUNC === '' ? 'needs runc' : false;
const APPLETS = ['cat', 'grep', 'id', 'ls', 'mkdir', 'mount', 'sh', 'sleep', 'touch', 'true'];

/** Runs a shell script in a container of our configuration, without anything else of the engine, and gives what it prints. */
async function inside(asked: Asked, script: string): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-spec-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const id = `spec-${randomId().slice(0, 12)}`;
  const files = {
    hostname: join(dir, 'hostname'),
    hosts: join(dir, 'hosts'),
    resolvConf: join(dir, 'resolv.conf'),
    log: '',
  };
  for (const file of [files.hostname, files.hosts, files.resolvConf]) await writeFile(file, 'ours');
  await makeRootfs(join(dir, 'rootfs'));
  await run('ip', ['netns', 'add', id]);
  stack.defer(async () => void (await run('ip', ['netns', 'del', id])));
  const container = { ...testContainer({ ...asked, Cmd: ['sh', '-c', script] }), id, files };
  const { config, hostConfig } = container;
  const user = await resolveUser(config.User, hostConfig.GroupAdd ?? [], async () => undefined);
  const netnsPath = hostConfig.NetworkMode === 'host' ? undefined : `/run/netns/${id}`;
  const spec = runtimeSpec({ container, host: await probeHost(), netnsPath, user });
  await writeFile(join(dir, 'config.json'), JSON.stringify(spec));
  const { stdout, stderr } = await run(RUNC, ['--root', join(dir, 'state'), 'run', '--bundle', dir, id], {
    allowFailure: true,
  });
  return stdout + stderr;
}

async function makeRootfs(root: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'etc', 'dev', 'proc', 'sys', 'tmp'])
    await mkdir(join(root, name), { recursive: true });
  await copyFile(BUSYBOX, join(root, 'bin', 'busybox'));
  for (const applet of APPLETS) await symlink('busybox', join(root, 'bin', applet));
}

const lines = (output: string): string[] => output.trim().split('\n');

test('by default: fourteen capabilities, a filter, hidden paths, few devices', { skip }, async () => {
  const script = `grep -E '^(CapEff|CapBnd|CapInh|Seccomp|NoNewPrivs):' /proc/self/status
    ls /dev | grep -v core; cat /etc/hosts; mount -t tmpfs x /tmp; touch /proc/sys/kernel/domainname /sys/x; ls /sys/firmware; cat /proc/keys`;
  const output = await inside({}, script);
  assert.match(output, /CapInh:\s0000000000000000/);
  assert.match(output, /CapBnd:\s00000000a80425fb/);
  assert.match(output, /CapEff:\s00000000a80425fb/);
  assert.match(output, /Seccomp:\s2/);
  assert.match(output, /mount: .*(denied|permitted)/);
  assert.match(output, /touch: \/proc\/sys\/kernel\/domainname: Read-only/);
  assert.match(output, /touch: \/sys\/x: Read-only/);
  const devices = 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
  assert.equal(lines(output).slice(5, 19).join(' '), devices);
  assert.match(output, /^ours/m);
});

test('privileged: what the engine has, and no walls', { skip }, async () => {
  const script = "grep -E '^(CapEff|Seccomp):' /proc/self/status; mount -t tmpfs x /tmp && ls -d /dev/kmsg";
  const output = await inside({ HostConfig: { Privileged: true } }, script);
  const own = /CapBnd:\s(\w+)/.exec((await run('cat', ['/proc/self/status'])).stdout)?.[1];
  assert.match(output, new RegExp(`CapEff:\\s${own}`));
  assert.match(output, /Seccomp:\s0/);
  assert.match(output, /\/dev\/kmsg/);
});

test('a user, its groups, its directory', { skip }, async () => {
  const asked = { User: '1000:1001', WorkingDir: '/made/for/it', HostConfig: { GroupAdd: ['7'] } };
  const output = await inside(asked, 'id -u; id -G; pwd; grep CapEff /proc/self/status');
  assert.deepEqual(lines(output), ['1000', '1001 7', '/made/for/it', 'CapEff:\t0000000000000000']);
});

test('a read-only root with a place to write to', { skip }, async () => {
  const HostConfig = { ReadonlyRootfs: true, Tmpfs: { '/tmp': 'size=1m' } };
  const output = await inside({ HostConfig }, 'touch /x; touch /tmp/x && echo written');
  assert.match(output, /touch: \/x: Read-only file system/);
  assert.match(output, /written/);
});

test('limits', { skip }, async () => {
  const HostConfig = { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }], OomScoreAdj: 100, ShmSize: 1 << 20 };
  const output = await inside(
    { HostConfig },
    'ulimit -n; ulimit -H -n; cat /proc/self/oom_score_adj; grep /dev/shm /proc/mounts',
  );
  assert.deepEqual(lines(output).slice(0, 3), ['100', '200', '100']);
  assert.match(output, /size=1024k/);
});

test('binds, the deeper one visible in the other, and read-only all the way down', { skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-bind-'));
  try {
    await mkdir(join(dir, 'b'));
    await writeFile(join(dir, 'file'), '');
    const Binds = [`/usr:/a/b:ro`, `${dir}:/a`];
    const output = await inside(
      { HostConfig: { Binds } },
      'ls /a /a/b | grep -E "^(file|share)$"; touch /a/new; touch /a/b/new',
    );
    assert.deepEqual(lines(output), ['file', 'share', 'touch: /a/b/new: Read-only file system']);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('an init is the first process', {
  skip: skip || (findProgram('docker-init', 'tini-static') === '' && 'needs tini'),
}, async () => {
  const output = await inside({ HostConfig: { Init: true } }, 'cat /proc/1/cmdline');
  assert.equal(output.split('\0')[0], '/sbin/docker-init');
});

test('a filter of its own, its capabilities, its kernel settings', { skip }, async () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
  };
  const HostConfig = {
    SecurityOpt: [`seccomp=${JSON.stringify(profile)}`, 'no-new-privileges'],
    CapDrop: ['ALL'],
    CapAdd: ['chown'],
    Sysctls: { 'net.core.somaxconn': '77' },
  };
  const script = "mkdir /tmp/x; grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status; cat /proc/sys/net/core/somaxconn";
  const output = await inside({ HostConfig }, script);
  assert.match(output, /mkdir: .*No space left/);
  assert.match(output, /CapBnd:\s0000000000000001/);
  assert.match(output, /NoNewPrivs:\s1/);
  assert.match(output, /^77$/m);
});
