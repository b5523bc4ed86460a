import { NEVER } from '../../engine/containers/model.ts';
import type { ContainerStats } from '../../engine/engine.ts';
import type { StatsSample } from '../../engine/stats/sample.ts';

type Usage = StatsSample['usage'];

/** One object of `GET /containers/{id}/stats`. A container that does not run has a name, an id and zeros. */
export function containerStats({ id, name, now, before }: ContainerStats) {
  return {
    read: now?.read ?? NEVER,
    preread: before?.read ?? NEVER,
    pids_stats: pids(now),
    blkio_stats: blockIo(now),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(now),
    precpu_stats: cpu(before),
    memory_stats: memory(now),
    name: `/${name}`,
    id,
    ...(now === undefined || Object.keys(now.interfaces).length === 0 ? {} : { networks: networks(now) }),
  };
}

function pids(sample: StatsSample | undefined) {
  const found = sample?.usage.pids;
  if (found === undefined) return {};
  return { current: found.current, ...(found.limit === undefined ? {} : { limit: found.limit }) };
}

const blockIoEntry = ({ major, minor, op, value }: Usage['blockIo']['bytes'][number]) => ({ major, minor, op, value });

/** The other lists are what CFQ counted, a scheduler that kernels do not have any more. */
function blockIo(sample: StatsSample | undefined) {
  const empty = sample === undefined ? null : [];
  return {
    io_service_bytes_recursive: sample?.usage.blockIo.bytes.map(blockIoEntry) ?? null,
    io_serviced_recursive: sample?.usage.blockIo.operations.map(blockIoEntry) ?? null,
    io_queue_recursive: empty,
    io_service_time_recursive: empty,
    io_wait_time_recursive: empty,
    io_merged_recursive: empty,
    io_time_recursive: empty,
    sectors_recursive: empty,
  };
}

function cpu(sample: StatsSample | undefined) {
  const used = sample?.usage.cpu;
  const throttling = used?.throttling ?? { periods: 0, throttledPeriods: 0, throttledTime: 0 };
  return {
    cpu_usage: {
      total_usage: used?.total ?? 0,
      ...(used?.perCpu === undefined ? {} : { percpu_usage: used.perCpu }),
      usage_in_kernelmode: used?.kernel ?? 0,
      usage_in_usermode: used?.user ?? 0,
    },
    ...(sample === undefined ? {} : { system_cpu_usage: sample.host.cpuTime, online_cpus: sample.host.cpus }),
    throttling_data: {
      periods: throttling.periods,
      throttled_periods: throttling.throttledPeriods,
      throttled_time: throttling.throttledTime,
    },
  };
}

function memory(sample: StatsSample | undefined) {
  const used = sample?.usage.memory;
  if (sample === undefined || used === undefined) return {};
  return {
    usage: used.usage,
    ...(used.maxUsage === undefined ? {} : { max_usage: used.maxUsage }),
    stats: used.details,
    ...(used.failures === 0 ? {} : { failcnt: used.failures }),
    limit: atMost(used.limit, sample.host.memory),
  };
}

/** Nobody can have more than the host: what is unlimited is told so. */
function atMost(limit: NonNullable<Usage['memory']>['limit'], total: number): number {
  return typeof limit === 'number' ? Math.min(limit, total) : total;
}

function networks({ interfaces }: StatsSample) {
  return Object.fromEntries(Object.entries(interfaces).map(([name, counters]) => [name, network(counters)]));
}

function network(counters: StatsSample['interfaces'][string]) {
  return {
    rx_bytes: counters.rxBytes,
    rx_packets: counters.rxPackets,
    rx_errors: counters.rxErrors,
    rx_dropped: counters.rxDropped,
    tx_bytes: counters.txBytes,
    tx_packets: counters.txPackets,
    tx_errors: counters.txErrors,
    tx_dropped: counters.txDropped,
  };
}
