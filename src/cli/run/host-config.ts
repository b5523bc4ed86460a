import { isCdiName } from '../../spec/cdi.ts';
import { invalid } from '../../util/errors.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import type { NetworkRequest } from './network.ts';
import type { PortMap } from './ports.ts';
import { parseSecurityOpts, withoutSystemPaths } from './security-opts.ts';
import { parseDevice, parseTmpfs } from './volumes.ts';

/** The `HostConfig` half of a create body. */
export function hostConfig(
  flags: ParsedFlags,
  bindings: PortMap['bindings'],
  binds: readonly string[],
  networks: readonly NetworkRequest[],
): Record<string, unknown> {
  const restart = restartPolicy(flags.text('restart'));
  if (flags.bool('rm') && restart.Name !== '' && restart.Name !== 'no') {
    throw invalid('conflicting options: cannot specify both --restart and --rm');
  }
  const security = withoutSystemPaths(parseSecurityOpts(flags.list('security-opt')));
  return {
    Binds: binds.length === 0 ? null : binds,
    ContainerIDFile: flags.text('cidfile'),
    LogConfig: { Type: flags.text('log-driver'), Config: logOptions(flags) },
    NetworkMode: networks[0]?.target || 'default',
    PortBindings: bindings,
    RestartPolicy: restart,
    AutoRemove: flags.bool('rm'),
    VolumeDriver: flags.text('volume-driver'),
    VolumesFrom: listOrNull(flags, 'volumes-from'),
    Mounts: flags.given('mount') ? flags.list('mount') : undefined,
    Annotations: flags.given('annotation') ? pairs(flags.list('annotation')) : undefined,
    CapAdd: listOrNull(flags, 'cap-add'),
    CapDrop: listOrNull(flags, 'cap-drop'),
    Dns: flags.list('dns'),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search').filter((domain) => domain !== '.'),
    ExtraHosts: listOrNull(flags, 'add-host'),
    GroupAdd: listOrNull(flags, 'group-add'),
    Links: listOrNull(flags, 'link'),
    OomScoreAdj: flags.value<number>('oom-score-adj') ?? 0,
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: security.options.length === 0 ? null : security.options,
    ...(security.unconfined ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    StorageOpt: flags.given('storage-opt') ? storageOptions(flags.list('storage-opt')) : undefined,
    Tmpfs: flags.given('tmpfs') ? parseTmpfs(flags.list('tmpfs')) : undefined,
    ShmSize: flags.value<number>('shm-size') ?? 0,
    Sysctls: flags.given('sysctl') ? pairs(flags.list('sysctl')) : undefined,
    Runtime: flags.text('runtime') || undefined,
    Isolation: flags.text('isolation'),
    Init: flags.given('init') ? flags.bool('init') : undefined,
    ...namespaces(flags),
    ...resources(flags),
  };
}

function namespaces(flags: ParsedFlags): Record<string, string> {
  const mode = (name: string, label: string, valid: (value: string) => boolean) => {
    const value = flags.text(name);
    if (!valid(value)) throw invalid(`--${name}: invalid ${label} mode`);
    return value;
  };
  const hostOnly = (value: string) => value === '' || value === 'host';
  return {
    IpcMode: flags.text('ipc'),
    PidMode: mode('pid', 'PID', (value) => hostOnly(value) || /^container:./.test(value)),
    UTSMode: mode('uts', 'UTS', hostOnly),
    UsernsMode: mode('userns', 'USER', hostOnly),
    CgroupnsMode: mode('cgroupns', 'CGROUP', (value) => hostOnly(value) || value === 'private'),
  };
}

/** Limits; also the body of an update. Absent flags are zero, which means no limit. */
function resources(flags: ParsedFlags): Record<string, unknown> {
  const number = (name: string) => flags.value<number>(name) ?? 0;
  const swappiness = flags.value<number>('memory-swappiness') ?? -1;
  if (swappiness < -1 || swappiness > 100) {
    throw invalid(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  // `vendor.com/class=name` is no path: the engine finds out what the device needs.
  const cdi = flags.list('device').filter(isCdiName);
  const requests = [...flags.list('gpus'), ...(cdi.length === 0 ? [] : [{ Driver: 'cdi', DeviceIDs: cdi }])];
  return {
    CpuShares: number('cpu-shares'),
    Memory: number('memory'),
    NanoCpus: number('cpus'),
    CgroupParent: flags.text('cgroup-parent'),
    BlkioWeight: number('blkio-weight'),
    BlkioWeightDevice: flags.list('blkio-weight-device'),
    BlkioDeviceReadBps: flags.list('device-read-bps'),
    BlkioDeviceWriteBps: flags.list('device-write-bps'),
    BlkioDeviceReadIOps: flags.list('device-read-iops'),
    BlkioDeviceWriteIOps: flags.list('device-write-iops'),
    CpuPeriod: number('cpu-period'),
    CpuQuota: number('cpu-quota'),
    CpuRealtimePeriod: number('cpu-rt-period'),
    CpuRealtimeRuntime: number('cpu-rt-runtime'),
    CpusetCpus: flags.text('cpuset-cpus'),
    CpusetMems: flags.text('cpuset-mems'),
    Devices: flags.list('device').flatMap((device) => (isCdiName(device) ? [] : [parseDevice(device)])),
    DeviceCgroupRules: cgroupRules(flags.list('device-cgroup-rule')),
    DeviceRequests: requests.length === 0 ? null : requests,
    MemoryReservation: number('memory-reservation'),
    MemorySwap: number('memory-swap'),
    MemorySwappiness: swappiness,
    ...(flags.given('kernel-memory') ? { KernelMemory: number('kernel-memory') } : {}),
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: number('pids-limit'),
    Ulimits: flags.list('ulimit'),
    CpuCount: number('cpu-count'),
    CpuPercent: number('cpu-percent'),
    IOMaximumIOps: number('io-maxiops'),
    IOMaximumBandwidth: number('io-maxbandwidth'),
  };
}

function cgroupRules(rules: readonly string[]): string[] | null {
  for (const rule of rules) {
    if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(rule))
      throw invalid(`invalid device cgroup format '${rule}'`);
  }
  return rules.length === 0 ? null : [...rules];
}

/** `name[:retries]`. Which names there are is for the engine to say. */
export function restartPolicy(policy: string): { Name: string; MaximumRetryCount: number } {
  const [name = '', count, extra] = policy.split(':');
  if (policy === '') return { Name: '', MaximumRetryCount: 0 };
  if (name === '') throw invalid('invalid restart policy format: no policy provided before colon');
  if (extra !== undefined || (count !== undefined && !/^-?\d+$/.test(count))) {
    throw invalid('invalid restart policy format: maximum retry count must be an integer');
  }
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}

const listOrNull = (flags: ParsedFlags, name: string) => (flags.given(name) ? flags.list(name) : null);

function pairs(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => [entry.split('=')[0] ?? '', entry.split('=').slice(1).join('=')]));
}

function storageOptions(entries: readonly string[]): Record<string, string> {
  if (entries.some((entry) => !entry.includes('='))) throw invalid('invalid storage option');
  return pairs(entries);
}

function logOptions(flags: ParsedFlags): Record<string, string> {
  const entries = flags.list('log-opt');
  if (flags.text('log-driver') === 'none' && entries.length > 0) {
    throw invalid('invalid logging opts for driver none');
  }
  return pairs(entries);
}
