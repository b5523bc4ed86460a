import * as v from 'valibot';
import { CAPABILITY_NAMES } from '../../kernel/host/capability-names.ts';
import type { HostDevice } from '../../kernel/host/host-devices.ts';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import { CreateBodySchema, type ExecBody, ExecBodySchema, HostConfigSchema } from '../../spec/container.ts';
import type { Container } from '../containers/model.ts';
import { toContainerMount } from '../containers/mounts.ts';
import type { ResolvedUser } from './resolve-user.ts';
import { wantedMounts } from './wanted-mounts.ts';

/** The body of a request to create a container, as far as a test cares. */
export type Asked = { HostConfig?: object } & Record<string, unknown>;

export const ROOT: ResolvedUser = { uid: 0, gid: 0, additionalGids: [0], home: '/root' };

/** A container as the engine knows it once created from `asked`, its files below `FILES`. */
export function testContainer(asked: Asked = {}): Container {
  const { HostConfig: _, NetworkingConfig: __, ...config } = v.parse(CreateBodySchema, asked);
  const hostConfig = testHostConfig(asked.HostConfig);
  const [path = '', ...args] = config.Cmd ?? ['sleep', '100'];
  return {
    id: 'ID',
    name: 'test',
    created: '2026-01-01T00:00:00Z',
    imageId: 'sha256:0',
    config: { ...config, Hostname: config.Hostname || 'box' },
    hostConfig,
    networks: {},
    path,
    args,
    mounts: wantedMounts(hostConfig)
      .filter(({ type, from }) => type !== 'volume' && from !== 'Tmpfs')
      .map((mount) => toContainerMount(mount, ['/data', '/run/gantry'])),
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: '',
      finishedAt: '',
      shim: '',
      stoppedByHand: false,
      pausedForCommit: false,
      restartDelay: 0,
      health: undefined,
    },
    restartCount: 0,
    endpoints: {},
    ports: {},
    sandboxKey: '',
    execIds: [],
    files: { hostname: 'FILES/hostname', hosts: 'FILES/hosts', resolvConf: 'FILES/resolv.conf', log: '' },
    graph: {
      lower: ['/data/l/A'],
      upper: '/data/containers/ID/fs/upper',
      work: '/data/containers/ID/fs/work',
      merged: '/run/gantry/bundles/ID/rootfs',
    },
  };
}

/** With the defaults that a created container's has. */
export function testHostConfig(asked: object = {}): Container['hostConfig'] {
  const parsed = v.parse(HostConfigSchema, asked);
  return {
    ...parsed,
    IpcMode: parsed.IpcMode || 'private',
    CgroupnsMode: parsed.CgroupnsMode || 'host',
    ShmSize: parsed.ShmSize || 64 << 20,
    NetworkMode: parsed.NetworkMode || 'default',
  };
}

export function testExec(asked: object): ExecBody {
  return v.parse(ExecBodySchema, asked);
}

/** Devices of the made-up host, by path. */
const DEVICES: readonly HostDevice[] = [
  { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o600, uid: 0, gid: 0 },
  { path: '/dev/loop0', type: 'b', major: 7, minor: 0, mode: 0o600, uid: 0, gid: 0 },
  { path: '/dev/vda', type: 'b', major: 254, minor: 0, mode: 0o660, uid: 0, gid: 6 },
];

/** A host with every capability and every limit, cgroup version 1. */
export function testHost(over: Partial<HostFacts> = {}): HostFacts {
  return {
    kernel: { release: '6.1.0', major: 6, minor: 1 },
    arch: 'amd64',
    x32: true,
    os: { name: 'Debian GNU/Linux 12 (bookworm)', version: '12' },
    cpus: 2,
    memory: 8 * 2 ** 30,
    cgroup: {
      version: 1,
      hybrid: false,
      driver: 'cgroupfs',
      mounts: { memory: '/sys/fs/cgroup/memory' },
      unified: undefined,
      controllers: new Set(['memory']),
      parent: '/docker',
      cpus: '0-1',
      mems: '0',
    },
    limits: {
      memory: true,
      swap: true,
      memoryReservation: true,
      memorySwappiness: true,
      oomKillDisable: true,
      cpuShares: true,
      cpuCfsPeriod: true,
      cpuCfsQuota: true,
      cpuRealtime: true,
      cpuset: true,
      pids: true,
      blkioWeight: true,
      blkioWeightDevice: true,
      blkioThrottle: true,
    },
    seccomp: true,
    apparmor: false,
    apparmorProfile: '',
    selinux: false,
    capabilities: CAPABILITY_NAMES,
    hardLimits: { nofile: 1024 },
    oomScoreAdj: 0,
    thermalPaths: [],
    initBinary: '/usr/bin/docker-init',
    devicesAt: (path) => {
      const device = DEVICES.find((one) => one.path === path);
      if (device !== undefined) return { kind: 'device', device };
      if (path === '/dev') return { kind: 'directory', devices: DEVICES };
      return path === '/etc/passwd' ? { kind: 'other' } : { kind: 'missing' };
    },
    propagationAt: () => ({ mountPoint: '/', shared: false, slave: false }),
    ...over,
  };
}
