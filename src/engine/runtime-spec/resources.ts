import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { OciBlockIo, OciResources, OciThrottleDevice } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';

/** Microseconds; what `--cpus` is a share of. */
const CFS_PERIOD = 100_000;

/** The limits a container asks for, without its devices; a new group has none, so what is unlimited is left out. */
export function containerResources(
  hostConfig: HostConfig,
  host: Pick<HostFacts, 'devicesAt'>,
): Omit<OciResources, 'devices'> {
  const memory = memoryOf(hostConfig);
  const cpu = cpuOf(hostConfig);
  const blockIO = blockIoOf(hostConfig, host);
  const pids = hostConfig.PidsLimit ?? 0;
  return {
    ...(isEmpty(memory) ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
    ...(isEmpty(blockIO) ? {} : { blockIO }),
  };
}

/**
 * The limits for a group that exists and may have others: what is unlimited is said. Devices are left out: a runtime does not
 * change their throttles, nor can `update`.
 */
export function liveResources(hostConfig: HostConfig): Omit<OciResources, 'devices'> {
  const memory = memoryOf(hostConfig);
  const { MemorySwap, PidsLimit, BlkioWeight } = hostConfig;
  return {
    memory: { ...memory, ...(memory.limit !== undefined && MemorySwap === -1 ? { swap: -1 } : {}) },
    cpu: cpuOf(hostConfig),
    ...(PidsLimit === null ? {} : { pids: { limit: PidsLimit > 0 ? PidsLimit : -1 } }),
    ...(BlkioWeight === 0 ? {} : { blockIO: { weight: BlkioWeight } }),
  };
}

/** What a group has that nobody has limited. A weight is left out, as its default depends on the scheduler below. */
const unlimited = ({ cgroup }: Pick<HostFacts, 'cgroup'>) => ({
  memory: { limit: -1, swap: -1, reservation: -1 },
  cpu: {
    shares: 1024,
    quota: -1,
    period: CFS_PERIOD,
    cpus: cgroup.cpus,
    mems: cgroup.mems,
    realtimeRuntime: 0,
    realtimePeriod: 1_000_000,
  },
  pids: { limit: -1 },
});

/** Takes back a change that the kernel may have taken in part: the limits before it, and none where there was none. */
export function restoredResources(
  before: HostConfig,
  after: HostConfig,
  host: Pick<HostFacts, 'cgroup'>,
): Omit<OciResources, 'devices'> {
  const was = liveResources(before);
  const tried = liveResources(after);
  const none = unlimited(host);
  const restored = <T extends object>(unset: T, old: object = {}, asked: object = {}): T => {
    const changed = Object.entries(unset).filter(([field]) => field in asked);
    return { ...Object.fromEntries(changed), ...old } as T;
  };
  return {
    memory: restored(none.memory, was.memory, tried.memory),
    cpu: restored(none.cpu, was.cpu, tried.cpu),
    ...(tried.pids === undefined ? {} : { pids: was.pids ?? none.pids }),
    ...(was.blockIO === undefined ? {} : { blockIO: was.blockIO }),
  };
}

function isEmpty(group: object): boolean {
  return Object.keys(group).length === 0;
}

function memoryOf(wanted: HostConfig): NonNullable<OciResources['memory']> {
  const { Memory: limit, MemorySwap: swap, MemoryReservation: reservation, MemorySwappiness: swappiness } = wanted;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(swap > 0 ? { swap } : {}),
    ...(reservation > 0 ? { reservation } : {}),
    ...(swappiness === null || swappiness < 0 ? {} : { swappiness }),
    ...(wanted.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf(wanted: HostConfig): NonNullable<OciResources['cpu']> {
  const timed =
    wanted.NanoCpus > 0
      ? { period: CFS_PERIOD, quota: Math.floor((wanted.NanoCpus * CFS_PERIOD) / 1e9) }
      : { period: wanted.CpuPeriod, quota: wanted.CpuQuota };
  return {
    ...(wanted.CpuShares > 0 ? { shares: wanted.CpuShares } : {}),
    ...(timed.period === 0 ? {} : { period: timed.period }),
    ...(timed.quota === 0 ? {} : { quota: timed.quota }),
    ...(wanted.CpusetCpus === '' ? {} : { cpus: wanted.CpusetCpus }),
    ...(wanted.CpusetMems === '' ? {} : { mems: wanted.CpusetMems }),
    ...(wanted.CpuRealtimePeriod === 0 ? {} : { realtimePeriod: wanted.CpuRealtimePeriod }),
    ...(wanted.CpuRealtimeRuntime === 0 ? {} : { realtimeRuntime: wanted.CpuRealtimeRuntime }),
  };
}

function blockIoOf(wanted: HostConfig, host: Pick<HostFacts, 'devicesAt'>): OciBlockIo {
  const throttles = {
    throttleReadBpsDevice: wanted.BlkioDeviceReadBps,
    throttleWriteBpsDevice: wanted.BlkioDeviceWriteBps,
    throttleReadIOPSDevice: wanted.BlkioDeviceReadIOps,
    throttleWriteIOPSDevice: wanted.BlkioDeviceWriteIOps,
  };
  const throttle = ({ Path, Rate }: { Path: string; Rate: number }): OciThrottleDevice => ({
    ...blockNumber(Path, host),
    rate: Rate,
  });
  const asked = Object.entries(throttles).flatMap(([field, devices]) =>
    devices === null || devices.length === 0 ? [] : [[field, devices.map(throttle)] as const],
  );
  const weights = (wanted.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
    ...blockNumber(Path, host),
    weight: Weight,
  }));
  return {
    ...(wanted.BlkioWeight === 0 ? {} : { weight: wanted.BlkioWeight }),
    ...(weights.length === 0 ? {} : { weightDevice: weights }),
    ...Object.fromEntries(asked),
  };
}

function blockNumber(path: string, { devicesAt }: Pick<HostFacts, 'devicesAt'>): { major: number; minor: number } {
  const found = devicesAt(path);
  if (found.kind === 'missing') throw invalid(`stat ${path}: no such file or directory`);
  if (found.kind !== 'device') throw invalid(`${path}: not a device node`);
  return { major: found.device.major, minor: found.device.minor };
}
