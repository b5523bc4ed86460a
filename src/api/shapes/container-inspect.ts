import { basename } from 'node:path';
import type { Container, Health } from '../../engine/containers/model.ts';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { networkEndpoints } from './endpoint.ts';
import { mountPoint, mountRequest } from './mount.ts';
import { omitZero } from './omit-zero.ts';
import { portMap } from './ports.ts';

const nullIfEmpty = <T extends object>(map: T): T | null => (Object.keys(map).length === 0 ? null : map);

function state({ state: s }: Container) {
  return {
    Status: s.status,
    Running: s.status === 'running' || s.status === 'paused' || s.status === 'restarting',
    Paused: s.status === 'paused',
    Restarting: s.status === 'restarting',
    OOMKilled: s.oomKilled,
    Dead: s.status === 'dead',
    Pid: s.pid,
    ExitCode: s.exitCode,
    Error: s.error,
    StartedAt: s.startedAt,
    FinishedAt: s.finishedAt,
    ...(s.health === undefined ? {} : { Health: health(s.health) }),
  };
}

function health({ status, failingStreak, log }: Health) {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map((it) => ({ Start: it.start, End: it.end, ExitCode: it.exitCode, Output: it.output })),
  };
}

/** Fields Docker leaves out of `Config` while they have their zero value. */
const OPTIONAL_CONFIG = [
  'ExposedPorts',
  'Healthcheck',
  'ArgsEscaped',
  'NetworkDisabled',
  'MacAddress',
  'StopSignal',
  'StopTimeout',
  'Shell',
] as const;

const OPTIONAL_HEALTH = ['Test', 'Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const;

/** `Config` of a container or an image. */
export function configShape(config: ContainerConfig) {
  const { Healthcheck, ...shape } = { ...omitZero(config, OPTIONAL_CONFIG), Volumes: nullIfEmpty(config.Volumes) };
  return Healthcheck === undefined || Healthcheck === null
    ? shape
    : { ...shape, Healthcheck: omitZero(Healthcheck, OPTIONAL_HEALTH) };
}

/** Fields Docker leaves out of `HostConfig` while they have their zero value. */
const OPTIONAL_HOST = [
  'KernelMemory',
  'KernelMemoryTCP',
  'Annotations',
  'Mounts',
  'StorageOpt',
  'Tmpfs',
  'Sysctls',
  'Init',
] as const;

function hostConfig(config: HostConfig, api: number) {
  const Mounts = config.Mounts.length > 0 ? { Mounts: config.Mounts.map(mountRequest) } : {};
  return {
    ...omitZero(config, OPTIONAL_HOST),
    ...Mounts,
    ...(api < 42 ? { KernelMemory: 0, KernelMemoryTCP: 0 } : {}),
  };
}

/** The top-level addresses are those on the default bridge; newer clients read `Networks`. */
function networkSettings(c: Container, api: number) {
  const bridge = c.endpoints['bridge'];
  return {
    Bridge: '',
    SandboxID: c.sandboxKey === '' ? '' : basename(c.sandboxKey),
    SandboxKey: c.sandboxKey,
    Ports: portMap(c.ports),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.prefixLength ?? 0,
    IPv6Gateway: '',
    MacAddress: bridge?.macAddress ?? '',
    Networks: networkEndpoints(c, api),
  };
}

/** `GET /containers/{id}/json`. Sizes are given when they were asked for. */
export function containerInspect(c: Container, o: { api: number; size?: { rw: number; rootFs: number } | undefined }) {
  return {
    Id: c.id,
    Created: c.created,
    Path: c.path,
    Args: c.args,
    State: state(c),
    Image: c.imageId,
    ResolvConfPath: c.files.resolvConf,
    HostnamePath: c.files.hostname,
    HostsPath: c.files.hosts,
    // The cache of a log that is sent away is nobody's business.
    LogPath: ['json-file', 'local'].includes(c.hostConfig.LogConfig.Type) ? c.files.log : '',
    Name: `/${c.name}`,
    RestartCount: c.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: c.execIds.length === 0 ? null : c.execIds,
    HostConfig: hostConfig(c.hostConfig, o.api),
    GraphDriver: {
      Data: {
        ID: c.id,
        LowerDir: c.graph.lower.join(':'),
        MergedDir: c.graph.merged,
        UpperDir: c.graph.upper,
        WorkDir: c.graph.work,
      },
      Name: 'overlay2',
    },
    ...(o.size ? { SizeRw: o.size.rw, SizeRootFs: o.size.rootFs } : {}),
    Mounts: c.mounts.map(mountPoint),
    Config: configShape(c.config),
    NetworkSettings: networkSettings(c, o.api),
  };
}
