import type { RawNumber } from '../util/raw-number.ts';

// The parts of the OCI runtime specification's config.json that the engine writes.
// Source: https://github.com/opencontainers/runtime-spec, config.md and config-linux.md, version 1.0.2.

export interface OciUser {
  uid: number;
  gid: number;
  additionalGids?: readonly number[];
}

export interface OciCapabilities {
  bounding: readonly string[];
  effective?: readonly string[];
  permitted?: readonly string[];
  inheritable?: readonly string[];
}

/** `type` is a resource's name as in `RLIMIT_NOFILE`. */
export interface OciRlimit {
  type: string;
  soft: number | RawNumber;
  hard: number | RawNumber;
}

export interface OciProcess {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: OciUser;
  args: readonly string[];
  env: readonly string[];
  cwd: string;
  capabilities: OciCapabilities;
  rlimits?: readonly OciRlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  selinuxLabel?: string;
  oomScoreAdj?: number;
}

export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: readonly string[];
}

export interface OciDevice {
  path: string;
  type: 'c' | 'b' | 'p';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** A missing number stands for all. */
export interface OciDeviceRule {
  allow: boolean;
  type?: 'a' | 'c' | 'b';
  major?: number;
  minor?: number;
  access: string;
}

export interface OciNamespace {
  type: 'mount' | 'network' | 'uts' | 'pid' | 'ipc' | 'cgroup' | 'user';
  /** Joins this one instead of making a new one. */
  path?: string;
}

/** `size` ids from `containerID` on inside are those from `hostID` on outside. */
export interface OciIdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface OciWeightDevice {
  major: number;
  minor: number;
  weight: number;
}

export interface OciThrottleDevice {
  major: number;
  minor: number;
  rate: number;
}

export interface OciBlockIo {
  weight?: number;
  weightDevice?: readonly OciWeightDevice[];
  throttleReadBpsDevice?: readonly OciThrottleDevice[];
  throttleWriteBpsDevice?: readonly OciThrottleDevice[];
  throttleReadIOPSDevice?: readonly OciThrottleDevice[];
  throttleWriteIOPSDevice?: readonly OciThrottleDevice[];
}

/** Memory in bytes, times in microseconds. */
export interface OciResources {
  devices?: readonly OciDeviceRule[];
  memory?: {
    limit?: number;
    reservation?: number;
    swap?: number;
    swappiness?: number;
    disableOOMKiller?: boolean;
  };
  cpu?: {
    shares?: number;
    quota?: number;
    period?: number;
    realtimeRuntime?: number;
    realtimePeriod?: number;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: number };
  blockIO?: OciBlockIo;
}

export interface OciSeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

export interface OciSeccompRule {
  names: readonly string[];
  action: string;
  errnoRet?: number;
  args?: readonly OciSeccompArg[];
}

export interface OciSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: readonly string[];
  flags?: readonly string[];
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls: readonly OciSeccompRule[];
}

export interface OciLinux {
  sysctl?: Readonly<Record<string, string>>;
  resources: OciResources;
  cgroupsPath: string;
  namespaces: readonly OciNamespace[];
  uidMappings?: readonly OciIdMapping[];
  gidMappings?: readonly OciIdMapping[];
  devices?: readonly OciDevice[];
  seccomp?: OciSeccomp;
  rootfsPropagation?: string;
  maskedPaths?: readonly string[];
  readonlyPaths?: readonly string[];
  mountLabel?: string;
  intelRdt?: object;
}

/** `timeout` in seconds. */
export interface OciHook {
  path: string;
  args: readonly string[];
  env: readonly string[];
  timeout?: number;
}

export type OciHooks = Partial<
  Record<
    'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop',
    readonly OciHook[]
  >
>;

/** The whole of a bundle's config.json. */
export interface OciSpec {
  ociVersion: string;
  process: OciProcess;
  root: { path: string; readonly?: boolean };
  hostname?: string;
  domainname?: string;
  mounts: readonly OciMount[];
  annotations?: Readonly<Record<string, string>>;
  hooks?: OciHooks;
  linux: OciLinux;
}
