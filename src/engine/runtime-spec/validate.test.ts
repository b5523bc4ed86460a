import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeLimits } from '../../kernel/host/limit-facts.ts';
import { containerResources } from './resources.ts';
import { testContainer, testHost, testHostConfig } from './test-container.ts';
import { validateCreate } from './validate.ts';

const check = (hostConfig: object, host = testHost()) => {
  const asked = testHostConfig(hostConfig);
  return { warnings: validateCreate(testContainer().config, asked, host), hostConfig: asked };
};
const refused = (hostConfig: object, message: string | RegExp) =>
  assert.throws(() => check(hostConfig), { kind: 'invalid', message }, JSON.stringify(hostConfig));

test('nothing asked, nothing to say', () => {
  assert.deepEqual(check({}).warnings, []);
});

test('memory', () => {
  refused({ Memory: 1000 }, 'Minimum memory limit allowed is 6MB');
  refused({ Memory: -1 }, 'Minimum memory limit allowed is 6MB');
  refused({ MemorySwap: 100000000 }, 'You should always set the Memory limit when using Memoryswap limit, see usage');
  refused(
    { Memory: 10000000, MemorySwap: 5000000 },
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  );
  refused({ MemoryReservation: 100 }, 'Minimum memory reservation allowed is 6MB');
  refused(
    { Memory: 10000000, MemoryReservation: 20000000 },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  );
  refused({ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100');
  assert.deepEqual(check({ MemorySwappiness: -1, Memory: 10000000, MemorySwap: -1 }).warnings, []);
});

test('processors', () => {
  refused({ NanoCpus: 100e9 }, 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available');
  refused({ NanoCpus: -1 }, 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available');
  refused({ NanoCpus: 1e9, CpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  refused({ NanoCpus: 1e9, CpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  const period = 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)';
  refused({ CpuPeriod: 10 }, period);
  refused({ CpuPeriod: 2000000 }, period);
  refused({ CpuShares: -5 }, 'invalid CPU shares (-5): value must be a positive integer');
  refused({ CpuQuota: 10 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  refused({ CpuRealtimePeriod: 5, CpuRealtimeRuntime: 6 }, /real-time runtime cannot be higher/);
});

test('sets of processors and memory nodes', () => {
  refused({ CpusetCpus: '0-9' }, 'Requested CPUs are not available - requested 0-9, available: 0-1');
  refused({ CpusetCpus: 'x' }, 'Invalid value x for cpuset cpus: invalid format: x');
  refused({ CpusetMems: '7' }, 'Requested memory nodes are not available - requested 7, available: 0');
  assert.deepEqual(check({ CpusetCpus: '0,1', CpusetMems: '0' }).warnings, []);
});

test('weights, scores, ulimits', () => {
  refused({ BlkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000');
  refused({ BlkioWeightDevice: [{ Path: '/dev/vda', Weight: 1001 }] }, 'Range of blkio weight is from 10 to 1000');
  refused({ OomScoreAdj: 2000 }, 'Invalid value 2000, range for oom score adj is [-1000, 1000]');
  const ulimit = (Name: string, Soft: number, Hard: number) => ({ Ulimits: [{ Name, Soft, Hard }] });
  refused(ulimit('nope', 1, 2), 'invalid ulimit type: nope');
  refused(ulimit('nofile', 3, 2), 'ulimit soft limit must be less than or equal to hard limit: 3 > 2');
  refused(ulimit('nofile', -1, 2), 'ulimit soft limit must be less than or equal to hard limit: -1 > 2');
  assert.deepEqual(check(ulimit('core', -1, -1)).warnings, []);
});

test('restart policies', () => {
  refused({ RestartPolicy: { Name: 'foo' } }, "invalid restart policy 'foo'");
  refused(
    { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
    "maximum retry count cannot be used with restart policy 'always'",
  );
  refused({ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } }, 'maximum retry count cannot be negative');
  refused(
    { RestartPolicy: { Name: 'always' }, AutoRemove: true },
    "can't create 'AutoRemove' container with restart policy",
  );
});

test('namespaces', () => {
  refused({ CgroupnsMode: 'foo' }, 'invalid cgroup namespace mode: foo');
  refused({ IpcMode: 'foo' }, 'invalid IPC mode: foo');
  refused({ IpcMode: 'container:' }, 'invalid IPC mode: container:');
  refused({ PidMode: 'private' }, 'invalid PID mode: private');
  refused({ UTSMode: 'container:x' }, 'invalid UTS mode: container:x');
});

test('a cgroup of another, or a user namespace that there is not', () => {
  refused({ Cgroup: 'container:x' }, /^invalid cgroup mode: container:x: /);
  refused({ UsernsMode: 'private' }, 'invalid user namespace mode: private');
  refused({ Annotations: { '': 'x' } }, /^invalid Annotations: the empty string is not permitted/);
});

test('sysctls only of namespaces of its own', () => {
  const sysctl = (name: string, over = {}) => ({ Sysctls: { [name]: '1' }, ...over });
  refused(sysctl('kernel.nope'), 'sysctl "kernel.nope" is not in a separate kernel namespace');
  refused(
    sysctl('kernel.shmmax', { IpcMode: 'host' }),
    'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace',
  );
  refused(sysctl('net.ipv4.ip_forward', { NetworkMode: 'host' }), /not allowed in host network namespace/);
  refused(sysctl('kernel.domainname', { UTSMode: 'host' }), /not in a separate kernel namespace/);
  refused(
    sysctl('kernel.hostname'),
    'sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field',
  );
  refused(sysctl('net/ipv4/conf/eth0.1/forwarding', { NetworkMode: 'host' }), /not allowed in host network namespace/);
  for (const fine of [
    'net/ipv4/conf/eth0.1/forwarding',
    'net.core.somaxconn',
    'kernel.shmmax',
    'fs.mqueue.msg_max',
    'kernel.domainname',
  ]) {
    assert.deepEqual(check(sysctl(fine)).warnings, [], fine);
  }
});

test('what the other mappings refuse is refused at create', () => {
  refused({ CapAdd: ['NOPE'] }, 'invalid CapAdd: unknown capability: "CAP_NOPE"');
  refused({ SecurityOpt: ['foo'] }, 'invalid --security-opt 1: "foo"');
  refused({ SecurityOpt: ['seccomp=nofile'] }, /^Decoding seccomp profile failed/);
  refused({ SecurityOpt: ['apparmor=x'] }, /AppArmor is not enabled/);
  refused({ DeviceCgroupRules: ['foo'] }, "invalid device cgroup rule format: 'foo'");
  refused({ Binds: ['/a:/b:xx'] }, 'invalid mode: xx');
  refused({ Isolation: 'hyperv' }, 'Invalid isolation: "hyperv" - linux only supports \'default\'');
  refused({ CgroupParent: '/a/../../b' }, 'invalid cgroup parent: /a/../../b');
  refused({ ExtraHosts: ['foo'] }, 'bad format for add-host: "foo"');
  refused({ ExtraHosts: ['foo:'] }, 'invalid IP address in add-host: ""');
  refused({ PortBindings: { '80-x/tcp': [] } }, 'invalid port specification: "80-x"');
  refused({ PortBindings: { '80/tcp': [{ HostPort: '99999' }] } }, 'invalid port specification: "99999"');
  refused({ ExtraHosts: ['foo:bar'] }, 'invalid IP address in add-host: "bar"');
  assert.deepEqual(check({ ExtraHosts: ['a:1.2.3.4', 'b:::1', 'c:[::1]', 'd:host-gateway'] }).warnings, []);
});

test('what the kernel cannot enforce is taken out and told', () => {
  const none = Object.fromEntries(Object.keys(testHost().limits).map((name) => [name, false]));
  const host = testHost({ limits: { ...testHost().limits, ...none } });
  const { warnings, hostConfig } = check(
    {
      Memory: 10000000,
      MemorySwappiness: 5,
      MemoryReservation: 8000000,
      OomKillDisable: true,
      PidsLimit: 5,
      CpuShares: 5,
      CpuPeriod: 5000,
      CpuRealtimeRuntime: 0,
      CpusetCpus: '99',
      BlkioWeight: 5,
      BlkioWeightDevice: [{ Path: '/dev/nope', Weight: 5 }],
      BlkioDeviceReadBps: [{ Path: '/dev/vda', Rate: 5 }],
    },
    host,
  );
  assert.equal(warnings.length, 11);
  assert.equal(
    warnings[0],
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
  );
  assert.deepEqual([hostConfig.Memory, hostConfig.MemorySwap, hostConfig.MemorySwappiness], [0, -1, null]);
  assert.deepEqual([hostConfig.PidsLimit, hostConfig.CpusetCpus, hostConfig.BlkioWeight], [null, '', 0]);
  assert.deepEqual(hostConfig.BlkioDeviceReadBps, []);
});

test('what only another system has is taken out and told, or refused', () => {
  const { warnings, hostConfig } = check({ CpuCount: 1, CpuPercent: 10 });
  assert.deepEqual(warnings, [
    'linux does not support CPU count. Count discarded.',
    'linux does not support CPU percent. Percent discarded.',
  ]);
  assert.deepEqual([hostConfig.CpuCount, hostConfig.CpuPercent], [0, 0]);
  refused({ IOMaximumIOps: 1 }, 'Invalid QoS settings: linux does not support configuration of maximum IOPs');
  assert.deepEqual(check({ Isolation: 'Default' }).warnings, []);
});

test('what control groups of version 2 do not have is taken out and told', () => {
  const files = ['cpu', 'cpuset', 'io', 'memory', 'pids'];
  const cgroup = { ...testHost().cgroup, version: 2 as const, unified: '/sys/fs/cgroup', controllers: new Set(files) };
  const host = testHost({ cgroup, limits: probeLimits(cgroup, () => true) });
  const lacking = { MemorySwappiness: 5, OomKillDisable: true, CpuRealtimePeriod: 9, CpuRealtimeRuntime: 5 };
  const { warnings, hostConfig } = check({ Memory: 1e8, ...lacking }, host);
  assert.deepEqual(warnings, [
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    'Your kernel does not support CPU real-time scheduler. CPU real-time period/runtime discarded.',
  ]);
  assert.deepEqual(containerResources(hostConfig, host), { memory: { limit: 1e8 } });
  const there = {
    CpuShares: 512,
    CpusetCpus: '0',
    PidsLimit: 5,
    BlkioWeight: 300,
    MemoryReservation: 1e7,
    NanoCpus: 1e9,
  };
  const throttle = { BlkioDeviceReadBps: [{ Path: '/dev/vda', Rate: 5 }] };
  assert.deepEqual(check({ Memory: 1e8, MemorySwap: 2e8, ...there, ...throttle }, host).warnings, []);
});

test('a container that cannot be killed for memory without a limit is warned of', () => {
  const [warning] = check({ OomKillDisable: true }).warnings;
  assert.match(warning ?? '', /^OOM killer is disabled for the container, but no memory limit is set/);
});
