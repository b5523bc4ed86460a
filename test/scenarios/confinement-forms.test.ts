import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

/** A way to write something down, and what is looked at inside. */
interface Row {
  readonly host: object;
  /** What is said instead of what dockerd 20.10 says; the reason stands beside it. */
  readonly ours?: RegExp;
}

type Mapping = readonly [from: string, to: string, access?: string];

const devices = (...mappings: readonly Mapping[]): Row => ({
  host: {
    Devices: mappings.map(([PathOnHost, PathInContainer, CgroupPermissions = 'rwm']) => ({
      PathOnHost,
      PathInContainer,
      CgroupPermissions,
    })),
  },
});
const rules = (...DeviceCgroupRules: string[]): Row => ({ host: { DeviceCgroupRules } });
const alone = (text: string): Row => rules(text);
const option = (...SecurityOpt: string[]): Row => ({ host: { SecurityOpt } });
const sysctls = (Sysctls: Record<string, string>, modes: object = {}): Row => ({ host: { Sysctls, ...modes } });
const sysctl = (name: string, value = '1'): Row => sysctls({ [name]: value });
const seccomp = (profile: unknown): string => `seccomp=${JSON.stringify(profile)}`;
const allow = { defaultAction: 'SCMP_ACT_ALLOW' };

/** Devices below the directory `DIR` and elsewhere. */
const DEVICES: readonly Row[] = [
  // Permissions of the cgroup: what may not be opened is refused before it is found that nothing is behind it.
  devices(...['r', 'w', 'm', 'rw', 'rr', 'wmr'].map((access, n): Mapping => [`DIR/b${n}`, `/dev/b${n}`, access])),
  // The clients always say which.
  { ...devices(['/dev/fuse', '/dev/b0', '']), ours: /^\/dev\/b0 character special file a:e5/m },
  // Directories and links, and places in the container.
  devices(['DIR/dev', '/dev/in'], ['DIR/dev/', '/dev/on'], ['DIR/dev/', '/dev/at/'], ['DIR/to-dev', '/dev/to']),
  devices(['DIR/dev/link', '/dev/x'], ['/dev/null', 'y'], ['/dev/null', '/some/where/x'], ['/dev/null', '/dev/../z']),
  devices(['/dev/zero', '/dev/null'], ['/dev/null', '/etc/hosts'], ['/dev/null', '/']),
  devices(['/dev/null', '/dev/x', 'r'], ['/dev/zero', '/dev/x', 'r']),
  // What is none.
  devices(['DIR/dangling', '/dev/x']),
  devices(['DIR/empty', '/dev/in']),
  { ...devices(['DIR/fifo', '/dev/x']), ours: /"DIR\/fifo": not a device node$/ },
  devices(['/dev/net/nope', '/dev/net/nope']),
  devices(['dev/null', '/dev/x']),
  { host: { Devices: null } },
];

const RULES: readonly Row[] = [
  rules('c 1:3 r', 'c *:3 m', 'b *:1 w', 'c 1:* m', 'c 5:3 rr', 'c 07:3 r', 'c 4096:3 r', 'c 4294967295:1 r'),
  rules('a *:* rwm'),
  rules('a 1:3 r'),
  ...['c 4294967296:1 r', 'c 9223372036854775808:1 r', '', 'a', 'c 1:3', 'c 1:3 ', ' c 1:3 r', 'c  1:3 r'].map(alone),
  ...['c 1 3 r', 'c 1:3 x', 'c 1:3 rwmw', 'p 1:3 r', 'c -1:3 r', 'c 1:-1 r', 'C 1:3 r', 'c 1:3 R', 'c 1:3 r\n'].map(
    alone,
  ),
];

const OPTIONS: readonly Row[] = [
  ...['', ':1', '=', ':', ':yes', '=true=x'].map((end) => option(`no-new-privileges${end}`)),
  option('no-new-privileges=true', 'no-new-privileges=false'),
  ...['NO-NEW-PRIVILEGES', '', '=', ':', 'unknown', 'unknown:x', 'a b', 'systempaths', 'credentialspec=x'].map((it) =>
    option(it),
  ),
  option('label=', 'label=disable', 'disable', 'apparmor=', 'apparmor:unconfined', 'seccomp='),
  ...['label', 'apparmor', 'seccomp', 'seccomp:unconfined', 'seccomp={}', 'seccomp={"defaultAction":""}'].map((it) =>
    option(it),
  ),
  option('seccomp=unconfined', seccomp(allow)),
  option(seccomp(allow), 'seccomp=unconfined'),
  option(seccomp({ ...allow, syscalls: [{ names: ['nope'], action: 'SCMP_ACT_ERRNO' }] })),
  option(seccomp({ ...allow, syscalls: [{ name: 'chmod', action: 'SCMP_ACT_ERRNO' }] })),
  option(seccomp({ ...allow, syscalls: [{ names: ['chmod'], action: 'WRONG' }] })),
  option(seccomp({ ...allow, architectures: ['X'] })),
  option(seccomp({ ...allow, syscalls: [{ name: 'chmod', names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] })),
  // No profile is no reason to go without one.
  { ...option('seccomp=null'), ours: /^Decoding seccomp profile failed: / },
  // Newer engines know these.
  { ...option('seccomp=builtin'), ours: /^Seccomp:\t2$/m },
  { ...option('writable-cgroups=true'), ours: /^Seccomp:\t2$/m },
];

const SYSCTLS: readonly Row[] = [
  sysctls({
    'net.ipv4.ip_forward': '0',
    'net/core/somaxconn': '512',
    'kernel.msgmax': '9000',
    'fs.mqueue.msg_max': '20',
  }),
  sysctls({
    'net/ipv4/ip_forward': '0',
    'kernel/msgmax': '9000',
    'kernel.sem': '250 32000 32 200',
    'kernel.domainname': 'd',
  }),
  sysctls({ 'net.ipv4.ip_forward': '', 'kernel.shmmni': '' }),
  sysctls({ 'net/ipv4/conf/eth0/forwarding': '0' }),
  sysctls({ 'net.ipv4.nope': '1' }, { NetworkMode: 'none' }),
  ...['shareable', 'none'].map((IpcMode) => sysctls({ 'kernel.shmmni': '30' }, { IpcMode })),
  sysctls({ 'net.ipv4.ip_forward': '0' }, { NetworkMode: 'host' }),
  sysctls({ 'kernel.panic': '0' }, { Privileged: true }),
  sysctl('net.ipv4.ip_forward', 'x'),
  ...['net.../../kernel/panic', 'net.ipv4.ip_forward ', 'NET.ipv4.ip_forward', 'net', '', '..'].map((name) =>
    sysctl(name),
  ),
  ...['kernel.auto_msgmni', 'kernel.ns_last_pid', 'user.max_user_namespaces'].map((name) => sysctl(name, '5000')),
];

const LOOK = `find / /dev -xdev '(' -type c -o -type b ')' -exec stat -c '%n %F %t:%T %a %u:%g' {} + | sort; \
  for f in null x b0 b1 b2 b3 b4 b5; do (: </dev/$f) 2>&1; (: >>/dev/$f) 2>&1; done; mknod /m b 259 770 2>&1; cat /sys/fs/cgroup/devices/devices.list; \
  grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; chmod 755 /bin 2>&1; cd /proc/sys; \
  cat net/ipv4/ip_forward net/core/somaxconn kernel/msgmax kernel/sem kernel/shmmni fs/mqueue/msg_max kernel/domainname 2>&1`;

describe('forms of confinement', () => {
  const stack = new AsyncDisposableStack();
  let engines: readonly Target[];
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-forms-'));
    stack.defer(() => rm(dir, { recursive: true }));
    const nodes = 'mkdir -p dev/sub empty; mknod dev/one c 1 3; mknod dev/sub/two b 7 77; mkfifo fifo; touch dev/file';
    const made = await command('sh', [
      '-ec',
      `cd ${dir}; ${nodes}; for n in 0 1 2 3 4 5; do mknod b$n b 259 77$n; done; ln -s one dev/link; ln -s dev to-dev; ln -s nowhere dangling`,
    ]);
    assert.equal(made.code, 0, made.stderr);
    engines = [stack.use(await startGantry()), stack.use(await startDockerd())];
    await Promise.all(engines.map(importBusybox));
  });
  after(() => stack.disposeAsync());

  /** What comes of it: what it sees inside, or why it does not run. A refusal may come when it is made or when it starts. */
  const outcome = async (target: Target, host: object): Promise<string> => {
    const HostConfig = JSON.parse(JSON.stringify(host).replaceAll('DIR', dir)) as object;
    const body = { Image: 'busybox', Cmd: ['sh', '-c', LOOK], HostConfig };
    const made = await target.api('POST', '/v1.41/containers/create', body);
    const { Id = '', message = '' } = made.json<{ Id?: string; message?: string }>();
    if (made.status !== 201) return plain(message);
    const path = `/containers/${Id}`;
    const started = await target.api('POST', `${path}/start`);
    const ran = started.status === 204;
    if (ran) await target.api('POST', `${path}/wait`);
    const said = ran ? (await target.docker(['logs', Id])).stdout : started.json<{ message: string }>().message;
    await target.api('DELETE', `${path}?force=1`);
    return plain(said);
  };
  /** Without what differs from run to run and by who says it. */
  const plain = (text: string): string =>
    text
      .replaceAll(dir, 'DIR')
      .replace(/^(failed to create shim task: )?OCI runtime create failed: (runc create failed: )?/, '')
      .replace(/: unknown$/, '')
      .replaceAll(/[0-9a-f]{64}/g, 'ID');

  const TABLES = {
    devices: DEVICES,
    'rules for devices': RULES,
    'security options': OPTIONS,
    'kernel settings': SYSCTLS,
  };
  for (const [name, rows] of Object.entries(TABLES)) {
    test(`${name}: each has the effect it has under dockerd, or is refused for the same reason`, async () => {
      const wrong: object[] = [];
      for (const { host, ours } of rows) {
        const [gantry = '', dockerd = ''] = await Promise.all(engines.map((target) => outcome(target, host)));
        if (ours === undefined ? gantry !== dockerd : !ours.test(gantry) || ours.test(dockerd))
          wrong.push({ host, gantry, dockerd });
      }
      assert.deepEqual(wrong, []);
    });
  }
});
