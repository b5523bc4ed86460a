import { count, keyed, named, single } from './counters.ts';
import type { ReadControl } from './read-control.ts';
import type { BlockIoEntry, CgroupUsage } from './usage.ts';

/** `cpuacct.stat` counts in USER_HZ, which is 100 a second on every architecture of ours. */
const TICK = 10_000_000;

/** Source: kernel doc cgroup-v1: cpuacct, memory, pids, blkio-controller. */
export function usageV1(read: ReadControl): CgroupUsage {
  return { cpu: cpuOf(read), memory: memoryOf(read), pids: pidsOf(read), blockIo: blockIoOf(read) };
}

function cpuOf(read: ReadControl): CgroupUsage['cpu'] {
  const total = read('cpuacct', 'cpuacct.usage');
  if (total === undefined) return undefined;
  const ticks = keyed(read('cpuacct', 'cpuacct.stat') ?? '');
  const throttled = keyed(read('cpu', 'cpu.stat') ?? '');
  const perCpu = (read('cpuacct', 'cpuacct.usage_percpu') ?? '').trim().split(/\s+/);
  return {
    total: single(total),
    perCpu: perCpu.filter((digits) => digits !== '').map(Number),
    kernel: named(ticks, 'system') * TICK,
    user: named(ticks, 'user') * TICK,
    throttling: {
      periods: named(throttled, 'nr_periods'),
      throttledPeriods: named(throttled, 'nr_throttled'),
      throttledTime: named(throttled, 'throttled_time'),
    },
  };
}

function memoryOf(read: ReadControl): CgroupUsage['memory'] {
  const usage = read('memory', 'memory.usage_in_bytes');
  if (usage === undefined) return undefined;
  return {
    usage: single(usage),
    maxUsage: single(read('memory', 'memory.max_usage_in_bytes')),
    limit: count(read('memory', 'memory.limit_in_bytes') ?? '0'),
    failures: single(read('memory', 'memory.failcnt')),
    details: keyed(read('memory', 'memory.stat') ?? ''),
  };
}

function pidsOf(read: ReadControl): CgroupUsage['pids'] {
  const current = read('pids', 'pids.current');
  if (current === undefined) return undefined;
  const max = read('pids', 'pids.max')?.trim();
  return { current: single(current), limit: max === undefined || max === 'max' ? undefined : Number(max) };
}

/** BFQ counts what its scheduler handles, and nothing elsewhere; then throttling's own counters know. */
function blockIoOf(read: ReadControl): CgroupUsage['blockIo'] {
  const entries = (...files: readonly string[]): BlockIoEntry[] => {
    for (const file of files) {
      const found = blockIoEntries(read('blkio', file) ?? '');
      if (found.length > 0) return found;
    }
    return [];
  };
  return {
    bytes: entries('blkio.io_service_bytes_recursive', 'blkio.throttle.io_service_bytes_recursive'),
    operations: entries('blkio.io_serviced_recursive', 'blkio.throttle.io_serviced_recursive'),
  };
}

/** Lines like `8:0 Read 4096`; the line `Total 4096` is of no device. */
function blockIoEntries(text: string): BlockIoEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op = '', value = '0']) => ({
    major: Number(major),
    minor: Number(minor),
    op: op.toLowerCase(),
    value: count(value),
  }));
}
