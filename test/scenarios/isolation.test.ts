import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { LOOK_AROUND, topicsOf } from '../support/inside.ts';
import { SYSCALLS, syscallErrors, syscallProbe } from '../support/syscall-probe.ts';
import type { Target } from '../support/target.ts';

/** As many as dockerd 20.10 knows. */
const ALL_CAPS = 0x3fffffffffn;
/** Calls that Docker's default profile allows since, or refuses since: io_uring, and sockets of unsafe families. */
const CHANGED_SINCE = [41, 303, 310, 311, 329, 330, 331, 425, 426, 427];
/** The first call that the profile of dockerd 20.10 does not know. */
const UNKNOWN_TO_20_10 = 450;
const exec = promisify(execFile);

interface Row {
  args: string[];
  /** What must be seen under a topic, whichever engine. */
  sees?: Record<string, RegExp>;
}

/** Sets of options; `$DIR` is a directory of the host with a file `f`. */
const ROWS: Record<string, Row> = {
  'by default': {
    args: [],
    sees: { status: /CapEff:\t00000000a80425fb[^]*Seccomp:\t2/u, network: /^eth0\nlo\n1$/mu },
  },
  'with a capability added': { args: ['--cap-add', 'SYS_ADMIN'], sees: { status: /CapEff:\t00000000a82425fb/u } },
  'with a capability dropped': { args: ['--cap-drop', 'chown'], sees: { status: /CapEff:\t00000000a80425fa/u } },
  'with no capability': { args: ['--cap-drop', 'ALL'], sees: { status: /CapBnd:\t0{16}/u } },
  'with one capability': { args: ['--cap-drop=ALL', '--cap-add=NET_ADMIN'], sees: { status: /CapEff:\t0{12}1000/u } },
  'with all capabilities but one': { args: ['--cap-add=ALL', '--cap-drop=SYS_RESOURCE'] },
  'without seccomp': { args: ['--security-opt', 'seccomp=unconfined'], sees: { status: /Seccomp:\t0/u } },
  'without new privileges': { args: ['--security-opt', 'no-new-privileges'], sees: { status: /NoNewPrivs:\t1/u } },
  'with open system paths': { args: ['--security-opt', 'systempaths=unconfined'] },
  'read-only': { args: ['--read-only'], sees: { mounts: /^\/ \/ ro,relatime/mu } },
  'read-only with tmpfs': { args: ['--read-only', '--tmpfs', '/tmp:size=1m,mode=1777,exec', '--tmpfs', '/run'] },
  'as a named user': { args: ['-u', 'me'], sees: { identity: /^uid=1000\(me\) gid=1000\(me\) groups=10\(wheel\)/mu } },
  'as a number': { args: ['-u', '4242'], sees: { identity: /^uid=4242 gid=0\(root\)/mu } },
  'as user and group': { args: ['-u', 'daemon:wheel'], sees: { identity: /^uid=1\(daemon\) gid=10\(wheel\)/mu } },
  'as a user with a capability': { args: ['-u', '1000', '--cap-add', 'NET_RAW'] },
  'with more groups': {
    args: ['--group-add', 'daemon', '--group-add', '777'],
    sees: { status: /Groups:\t0 1 10 777/u },
  },
  'with little memory': {
    args: ['-m', '64m', '--memory-reservation', '32m'],
    sees: { limits: /memory(\/memory\.limit_in_bytes|\.max) 67108864/u },
  },
  'with memory and swap': { args: ['-m', '64m', '--memory-swap', '128m'] },
  'with half a processor': { args: ['--cpus', '0.5'], sees: { limits: /cpu(\/cpu\.cfs_quota_us|\.max) 50000/u } },
  'with shares and a set of processors': {
    args: ['--cpu-shares', '512', '--cpuset-cpus', '0'],
    sees: { status: /Cpus_allowed_list:\t0\n/u },
  },
  'with few processes': { args: ['--pids-limit', '50'], sees: { limits: /pids(\/pids)?\.max 50/u } },
  'with a host name': {
    args: ['--hostname', 'box', '--domainname', 'example.org', '--add-host', 'other:192.0.2.7'],
    sees: { files: /^box[^]*box/u, identity: /^box$/mu },
  },
  'with a bind mount': { args: ['-v', '$DIR:/mnt'], sees: { mounts: /^\/mnt \S+ rw,/mu } },
  'with read-only bind mounts': {
    args: ['-v', '$DIR:/mnt:ro', '-v', '$DIR/f:/etc/f:ro'],
    sees: { mounts: /^\/etc\/f \S+ ro,[^]*^\/mnt \S+ ro,/mu },
  },
  'with environment and directory': {
    args: ['-e', 'A=1', '-e', 'B=two words', '-e', 'PATH=/bin', '-w', '/made/up', '--label', 'l=v'],
    sees: { environment: /^A=1\nB=two words\n[^]*PATH=\/bin/u, identity: /^\/made\/up$/mu },
  },
  'with an init': { args: ['--init'], sees: { init: /^\/sbin\/docker-init --/u } },
  'in the host’s ipc': { args: ['--ipc', 'host'], sees: { namespaces: /^ipc of the host$/mu } },
  'in a private ipc': { args: ['--ipc', 'private'] },
  'without shared memory': { args: ['--ipc', 'none'] },
  'in the host’s pid': { args: ['--pid', 'host'], sees: { namespaces: /^pid of the host$/mu } },
  'in the host’s uts': { args: ['--uts', 'host'], sees: { namespaces: /^uts of the host$/mu } },
  'without network': { args: ['--network', 'none'], sees: { network: /^lo\n0$/mu } },
  'in the host’s network': { args: ['--network', 'host'], sees: { namespaces: /^net of the host$/mu } },
  'with shared memory and sysctls': {
    args: ['--shm-size', '1m', '--sysctl', 'net.ipv4.ip_forward=0', '--sysctl', 'kernel.msgmax=4096'],
    sees: { mounts: /^\/dev\/shm .*size=1024k/mu, sysctls: /ip_forward 0\n[^]*msgmax 4096/u },
  },
  'with shareable memory': { args: ['--ipc', 'shareable', '--shm-size', '2m'] },
  'in a cgroup namespace of its own': { args: ['--cgroupns', 'private'], sees: { namespaces: /^cgroup its own$/mu } },
  'in the host’s cgroup namespace': { args: ['--cgroupns', 'host'], sees: { namespaces: /^cgroup of the host$/mu } },
  'in the host’s namespaces, with an init that has no use there': {
    args: ['--pid', 'host', '--ipc', 'host', '--uts', 'host', '--network', 'host', '--init'],
  },
  'in the host’s user namespace': { args: ['--userns', 'host'] },
  'with settings written both ways': {
    args: [
      '--sysctl',
      'net.core.somaxconn=1000',
      '--sysctl',
      'net.ipv4.conf.lo.forwarding=1',
      '--sysctl',
      'kernel.shm_rmid_forced=1',
    ],
    sees: { sysctls: /somaxconn 1000\n[^]*shm_rmid_forced 1/u },
  },
  'with a profile that lets everything through': { args: ['--security-opt', 'seccomp=$DIR/open.json'] },
  'without labels': { args: ['--security-opt', 'label=disable', '--security-opt', 'apparmor=unconfined'] },
  'without new privileges, as a user with groups': {
    args: ['--security-opt', 'no-new-privileges=true', '-u', 'daemon', '--group-add', 'wheel', '--group-add', '4242'],
  },
  'with devices': {
    args: ['--device', '/dev/null:/dev/foo:r', '--device', '/dev/zero', '--device-cgroup-rule', 'c 42:* rmw'],
    sees: { devices: /^\/dev\/foo character special file 1:3/mu },
  },
  'with lower limits': {
    args: ['--ulimit', 'nofile=100:200', '--ulimit', 'nproc=50', '--ulimit', 'core=0'],
    sees: { rlimits: /^Max open files {12}100 {18}200/mu },
  },
  'more likely to be killed': { args: ['--oom-score-adj', '500'], sees: { scores: /^500$/mu } },
  'with a terminal': {
    args: ['-t'],
    sees: { devices: /^\/dev\/console character special file 88:/mu, environment: /^TERM=xterm$/mu },
  },
};

/** What no ordinary container may do, and the kernel's answer. */
const FORBIDDEN: Record<string, RegExp> = {
  'mount -t tmpfs none /tmp': /permission denied|not permitted/u,
  'mount -o remount,rw /sys': /permission denied|not permitted/u,
  'umount /proc/sys': /not permitted|Invalid argument/u,
  'unshare -m true': /Operation not permitted/u,
  'unshare -U true': /Operation not permitted/u,
  'unshare -n true': /Operation not permitted/u,
  'mknod /tmp/disk b $DISK && head -c1 /tmp/disk': /\/tmp\/disk: Operation not permitted/u,
  'mknod /tmp/kmsg c 1 11 && head -c1 /tmp/kmsg': /\/tmp\/kmsg: Operation not permitted/u,
  'echo x >/proc/sys/kernel/domainname': /Read-only file system/u,
  'echo 1 >/proc/sys/net/ipv4/ip_forward': /Read-only file system/u,
  'echo h >/proc/sysrq-trigger': /Read-only file system|nonexistent/u,
  'echo 1 >$(find /sys/fs/cgroup -name cgroup.procs | head -n1)': /Read-only file system/u,
  'mkdir $(dirname $(find /sys/fs/cgroup -name cgroup.procs | head -n1))/mine': /Read-only file system/u,
  'hostname other': /not permitted/u,
  'date -s 2020-01-01 && test $(date +%Y) = 2020': /not permitted/u,
  dmesg: /not permitted/u,
  'ip link set lo down': /not permitted/u,
  'renice -n -5 -p $$': /Permission denied|not permitted/u,
  'swapoff /none': /not permitted/u,
};

const numbers = (topics: Record<string, string[]>, name: string): bigint =>
  BigInt(`0x${topics['status']?.find((line) => line.startsWith(`${name}:`))?.split('\t')[1] ?? ''}`);

describe('isolation', () => {
  const stack = new AsyncDisposableStack();
  let gantry: Target;
  let dockerd: Target;
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-isolation-'));
    stack.defer(() => rm(dir, { recursive: true }));
    await chmod(dir, 0o755);
    await writeFile(join(dir, 'f'), 'of the host');
    await writeFile(join(dir, 'open.json'), '{"defaultAction":"SCMP_ACT_ALLOW"}');
    await writeFile(join(dir, 'probe'), syscallProbe(), { mode: 0o755 });
    const start = async (engine: Promise<Target & AsyncDisposable>): Promise<Target> => {
      const target = stack.use(await engine);
      await importBusybox(target);
      return target;
    };
    [gantry, dockerd] = await Promise.all([start(startGantry()), start(startDockerd())]);
  });
  after(() => stack.disposeAsync());

  const run = async (target: Target, args: readonly string[], command: readonly string[]): Promise<string> => {
    const resolved = args.map((arg) => arg.replaceAll('$DIR', dir));
    const { code, stdout, stderr } = await target.docker(['run', '--rm', ...resolved, 'busybox', ...command]);
    assert.equal(code, 0, `${target.name}: ${stderr}`);
    return stdout;
  };
  const look = async (target: Target, args: readonly string[]): Promise<Record<string, string[]>> =>
    topicsOf((await run(target, args, ['sh', '-c', LOOK_AROUND])).replaceAll('\r', '').replaceAll(dir, '$DIR'));

  for (const [name, { args, sees = {} }] of Object.entries(ROWS)) {
    test(`a container ${name} sees what it sees under dockerd`, async () => {
      const [ours, theirs] = await Promise.all([look(gantry, args), look(dockerd, args)]);
      assert.deepEqual(ours, theirs);
      for (const [topic, expected] of Object.entries(sees)) assert.match(ours[topic]?.join('\n') ?? '', expected);
    });
  }

  test('a privileged container holds what the engine holds, and nothing is hidden from it', async () => {
    const ours = await look(gantry, ['--privileged']);
    const held = /^CapEff:\t(\w+)$/mu.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
    assert.equal(numbers(ours, 'CapEff'), BigInt(`0x${held}`) & ALL_CAPS);
    assert.match(ours['status']?.join('\n') ?? '', /^Seccomp:\t0$/mu);
    const mounts = ours['mounts']?.join('\n') ?? '';
    assert.match(mounts, /^\/sys \/ rw,/mu);
    assert.doesNotMatch(mounts, /^\/proc\/(sys|keys|kcore|bus|acpi) |^\/sys\/firmware /mu);
    assert.ok((ours['devices']?.length ?? 0) > 30, 'the devices of the host are there');
    // Where the host does not hold every capability, dockerd cannot start a privileged container at all.
    if (numbers(ours, 'CapEff') === ALL_CAPS) assert.deepEqual(ours, await look(dockerd, ['--privileged']));
  });

  test('an entry point takes the place of the shell', async () => {
    const outputs = await Promise.all(
      [gantry, dockerd].map((target) => run(target, ['--entrypoint', 'echo', '-u', 'me'], ['a', 'b  c'])),
    );
    assert.deepEqual(outputs, ['a b  c\n', 'a b  c\n']);
  });

  test('the system calls that are let through are those of dockerd', async (t) => {
    if (process.arch !== 'x64') return t.skip('the probe is a program for x86-64');
    const rows = [
      [],
      ['--cap-add', 'SYS_ADMIN'],
      ['--cap-drop', 'ALL'],
      ['--cap-add', 'SYS_PTRACE', '-u', 'me'],
      ['--security-opt', 'seccomp=unconfined'],
    ];
    for (const args of rows) {
      const confined = !args.includes('seccomp=unconfined');
      const comparable = (nr: number): boolean => !confined || (nr < UNKNOWN_TO_20_10 && !CHANGED_SINCE.includes(nr));
      const probe = async (target: Target): Promise<Map<number, number>> => {
        const text = await run(target, [...args, '-v', '$DIR:/mnt:ro'], ['sh', '-c', '/mnt/probe | od -An -v -tx1']);
        return syscallErrors(Buffer.from(text.replaceAll(/\s/gu, ''), 'hex'));
      };
      const [ours, theirs] = await Promise.all([probe(gantry), probe(dockerd)]);
      const differing = SYSCALLS.filter((nr) => comparable(nr) && ours.get(nr) !== theirs.get(nr));
      assert.deepEqual(
        differing.map((nr) => [nr, ours.get(nr), theirs.get(nr)]),
        [],
        `with ${args.join(' ')}`,
      );
      // mount, swapoff, reboot, init_module, keyctl, bpf, unshare, add_key, kexec_load
      if (args.length === 0)
        for (const nr of [165, 168, 169, 175, 250, 321, 272, 248, 246]) assert.equal(ours.get(nr), 1, `call ${nr}`);
    }
  });

  test('what is forbidden is refused', async () => {
    const { stdout } = await exec('stat', ['-c', '%d', dir]);
    const device = Number(stdout);
    const disk = `${(device >> 8) & 0xfff} ${device & 0xff}`;
    const scripts = Object.keys(FORBIDDEN).map((script) => script.replaceAll('$DISK', disk));
    const all = scripts.map((script) => `echo "@@ $((n+=1))"; (${script}) 2>&1 && echo allowed`).join('\n');
    for (const target of [gantry, dockerd]) {
      const answers = (await run(target, [], ['sh', '-c', `${all}; true`])).split(/^@@ .*\n/mu).slice(1);
      for (const [index, [script, expected]] of Object.entries(FORBIDDEN).entries()) {
        assert.match(answers[index] ?? '', expected, `${target.name}: ${script}`);
        assert.doesNotMatch(answers[index] ?? '', /^allowed$/mu, `${target.name}: ${script}`);
      }
      const across = await target.docker([
        'run',
        '--rm',
        '--pid',
        'host',
        'busybox',
        'sh',
        '-c',
        'cat /proc/1/environ; ls /proc/1/root/',
      ]);
      assert.notEqual(across.code, 0);
      assert.equal(across.stdout, '');
      assert.match(across.stderr, /environ'?: Permission denied[^]*root\/: Permission denied/u);
      const outside = await target.docker([
        'run',
        '--rm',
        '--read-only',
        '-v',
        `${dir}:/mnt:ro`,
        'busybox',
        'sh',
        '-c',
        'echo x >/new; echo x >/mnt/f',
      ]);
      assert.match(outside.stderr, /\/new: Read-only file system[^]*\/mnt\/f: Read-only file system/u);
      assert.equal(await readFile(join(dir, 'f'), 'utf8'), 'of the host');
    }
  });
});
