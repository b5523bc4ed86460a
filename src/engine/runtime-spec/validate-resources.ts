import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import { parseCpuSet } from './cpu-set.ts';

const MIN_MEMORY = 6 << 20;

type LimitFacts = Pick<HostFacts, 'limits' | 'cpus' | 'cgroup'>;

/**
 * Checks limits against sense and against what this host can enforce.
 *
 * A limit that the kernel cannot enforce is taken out of `wanted`, as Docker does, and told as a warning.
 *
 * @returns the warnings, in Docker's words. @throws `invalid`.
 */
export function validateResources(wanted: HostConfig, host: LimitFacts): string[] {
  if (wanted.Memory === 0 && wanted.MemorySwap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  return validateLimits(wanted, host);
}

/** As above for changes of a container, which may have a limit that is not named again. */
export function validateLimits(wanted: HostConfig, host: LimitFacts): string[] {
  checkMemory(wanted);
  checkForeign(wanted);
  checkCpu(wanted, host);
  checkBlockIo(wanted, host);
  const warnings: string[] = [];
  for (const { asked, supported, discard, warning } of DISCARDS) {
    if (!asked(wanted) || supported(host.limits)) continue;
    discard(wanted);
    warnings.push(warning);
  }
  checkCpuSets(wanted, host);
  if (wanted.OomKillDisable === true && wanted.Memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  return warnings;
}

/** Of other systems, in the words Docker has for them. */
function checkForeign({ IOMaximumIOps, IOMaximumBandwidth }: HostConfig): void {
  const not = (what: string) =>
    invalid(`Invalid QoS settings: linux does not support configuration of maximum ${what}`);
  if (IOMaximumBandwidth !== 0) throw not('bandwidth');
  if (IOMaximumIOps !== 0) throw not('IOPs');
}

function checkMemory(wanted: HostConfig): void {
  const { Memory, MemorySwap, MemoryReservation, MemorySwappiness: swappiness } = wanted;
  if (Memory !== 0 && Memory < MIN_MEMORY) throw invalid('Minimum memory limit allowed is 6MB');
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (swappiness !== null && (swappiness < -1 || swappiness > 100)) {
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (MemoryReservation !== 0 && MemoryReservation < MIN_MEMORY) {
    throw invalid('Minimum memory reservation allowed is 6MB');
  }
  if (Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu(wanted: HostConfig, { cpus, limits }: Pick<HostFacts, 'limits' | 'cpus'>): void {
  const { NanoCpus, CpuPeriod, CpuQuota, CpuShares } = wanted;
  if (CpuShares < 0) throw invalid(`invalid CPU shares (${CpuShares}): value must be a positive integer`);
  if (NanoCpus > 0 && CpuPeriod > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (NanoCpus > 0 && CpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (NanoCpus > 0 && !limits.cpuCfsQuota) {
    throw invalid(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  }
  if (NanoCpus < 0 || NanoCpus > cpus * 1e9) {
    throw invalid(`Range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (CpuQuota > 0 && CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const { CpuRealtimePeriod: period, CpuRealtimeRuntime: runtime } = wanted;
  if (period !== 0 && runtime > period)
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
}

function checkCpuSets({ CpusetCpus, CpusetMems }: HostConfig, { cgroup }: Pick<HostFacts, 'cgroup'>): void {
  checkSet('cpuset cpus', 'CPUs', CpusetCpus, cgroup.cpus);
  checkSet('cpuset mems', 'memory nodes', CpusetMems, cgroup.mems);
}

function checkSet(field: string, what: string, wanted: string, available: string): void {
  const asked = parsedSet(field, wanted);
  if (available === '' || asked.isSubsetOf(parseCpuSet(available))) return;
  throw invalid(`Requested ${what} are not available - requested ${wanted}, available: ${available}`);
}

function parsedSet(field: string, wanted: string): Set<number> {
  try {
    return parseCpuSet(wanted);
  } catch (error) {
    throw invalid(`Invalid value ${wanted} for ${field}: ${messageOf(error)}`);
  }
}

function checkBlockIo(wanted: HostConfig, { limits }: Pick<HostFacts, 'limits'>): void {
  const outside = (weight: number): boolean => weight < 10 || weight > 1000;
  if (limits.blkioWeight && wanted.BlkioWeight !== 0 && outside(wanted.BlkioWeight)) {
    throw invalid('Range of blkio weight is from 10 to 1000');
  }
  if (limits.blkioWeightDevice && (wanted.BlkioWeightDevice ?? []).some(({ Weight }) => outside(Weight))) {
    throw invalid('Range of blkio weight is from 10 to 1000');
  }
}

interface Discard {
  readonly asked: (wanted: HostConfig) => boolean;
  readonly supported: (limits: HostFacts['limits']) => boolean;
  readonly discard: (wanted: HostConfig) => void;
  readonly warning: string;
}

type ThrottleField = 'BlkioDeviceReadBps' | 'BlkioDeviceWriteBps' | 'BlkioDeviceReadIOps' | 'BlkioDeviceWriteIOps';

const some = (list: readonly unknown[] | null): boolean => list !== null && list.length > 0;

const throttle = (field: ThrottleField, warning: string): Discard => ({
  asked: (wanted) => some(wanted[field]),
  supported: ({ blkioThrottle }) => blkioThrottle,
  discard: (wanted) => {
    wanted[field] = [];
  },
  warning,
});

/** Limits that some kernels lack, each with what it is to be without it. */
const DISCARDS: readonly Discard[] = [
  {
    asked: ({ Memory }) => Memory > 0,
    supported: ({ memory }) => memory,
    discard: (wanted) => Object.assign(wanted, { Memory: 0, MemorySwap: -1 }),
    warning:
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
  },
  {
    asked: ({ Memory, MemorySwap }) => Memory > 0 && MemorySwap !== -1,
    supported: ({ swap }) => swap,
    discard: (wanted) => Object.assign(wanted, { MemorySwap: -1 }),
    warning:
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  },
  {
    asked: ({ MemorySwappiness }) => MemorySwappiness !== null && MemorySwappiness !== -1,
    supported: ({ memorySwappiness }) => memorySwappiness,
    discard: (wanted) => Object.assign(wanted, { MemorySwappiness: null }),
    warning:
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
  },
  {
    asked: ({ MemoryReservation }) => MemoryReservation > 0,
    supported: ({ memoryReservation }) => memoryReservation,
    discard: (wanted) => Object.assign(wanted, { MemoryReservation: 0 }),
    warning:
      'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
  },
  {
    asked: ({ CpuCount }) => CpuCount !== 0,
    supported: () => false,
    discard: (wanted) => Object.assign(wanted, { CpuCount: 0 }),
    warning: 'linux does not support CPU count. Count discarded.',
  },
  {
    asked: ({ CpuPercent }) => CpuPercent > 0,
    supported: () => false,
    discard: (wanted) => Object.assign(wanted, { CpuPercent: 0 }),
    warning: 'linux does not support CPU percent. Percent discarded.',
  },
  {
    asked: ({ OomKillDisable }) => OomKillDisable === true,
    supported: ({ oomKillDisable }) => oomKillDisable,
    discard: (wanted) => Object.assign(wanted, { OomKillDisable: null }),
    warning: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
  {
    asked: ({ PidsLimit }) => PidsLimit !== null && PidsLimit > 0,
    supported: ({ pids }) => pids,
    discard: (wanted) => Object.assign(wanted, { PidsLimit: null }),
    warning: 'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
  },
  {
    asked: ({ CpuShares }) => CpuShares > 0,
    supported: ({ cpuShares }) => cpuShares,
    discard: (wanted) => Object.assign(wanted, { CpuShares: 0 }),
    warning: 'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
  },
  {
    asked: ({ CpuPeriod, CpuQuota }) => CpuPeriod !== 0 || CpuQuota !== 0,
    supported: ({ cpuCfsPeriod, cpuCfsQuota }) => cpuCfsPeriod && cpuCfsQuota,
    discard: (wanted) => Object.assign(wanted, { CpuPeriod: 0, CpuQuota: 0 }),
    warning: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  {
    asked: ({ CpuRealtimePeriod, CpuRealtimeRuntime }) => CpuRealtimePeriod !== 0 || CpuRealtimeRuntime !== 0,
    supported: ({ cpuRealtime }) => cpuRealtime,
    discard: (wanted) => Object.assign(wanted, { CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0 }),
    warning: 'Your kernel does not support CPU real-time scheduler. CPU real-time period/runtime discarded.',
  },
  {
    asked: ({ CpusetCpus, CpusetMems }) => CpusetCpus !== '' || CpusetMems !== '',
    supported: ({ cpuset }) => cpuset,
    discard: (wanted) => Object.assign(wanted, { CpusetCpus: '', CpusetMems: '' }),
    warning: 'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
  },
  {
    asked: ({ BlkioWeight }) => BlkioWeight > 0,
    supported: ({ blkioWeight }) => blkioWeight,
    discard: (wanted) => Object.assign(wanted, { BlkioWeight: 0 }),
    warning: 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
  },
  {
    asked: ({ BlkioWeightDevice }) => some(BlkioWeightDevice),
    supported: ({ blkioWeightDevice }) => blkioWeightDevice,
    discard: (wanted) => Object.assign(wanted, { BlkioWeightDevice: [] }),
    warning:
      'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
  },
  throttle(
    'BlkioDeviceReadBps',
    'Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
  ),
  throttle(
    'BlkioDeviceWriteBps',
    'Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.',
  ),
  throttle(
    'BlkioDeviceReadIOps',
    'Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.',
  ),
  throttle(
    'BlkioDeviceWriteIOps',
    'Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
  ),
];
