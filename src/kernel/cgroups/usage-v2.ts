import { count, keyed, named, single } from './counters.ts';
import type { ReadControl } from './read-control.ts';
import type { BlockIoEntry, CgroupUsage } from './usage.ts';

const MICROSECOND = 1000;

/** Source: kernel doc cgroup-v2. Every controller is in one tree. */
export function usageV2(read: ReadControl): CgroupUsage {
  return { cpu: cpuOf(read), memory: memoryOf(read), pids: pidsOf(read), blockIo: blockIoOf(read) };
}

function cpuOf(read: ReadControl): CgroupUsage['cpu'] {
  const text = read('cpu', 'cpu.stat');
  if (text === undefined) return undefined;
  const values = keyed(text);
  return {
    total: named(values, 'usage_usec') * MICROSECOND,
    kernel: named(values, 'system_usec') * MICROSECOND,
    user: named(values, 'user_usec') * MICROSECOND,
    throttling: {
      periods: named(values, 'nr_periods'),
      throttledPeriods: named(values, 'nr_throttled'),
      throttledTime: named(values, 'throttled_usec') * MICROSECOND,
    },
  };
}

function memoryOf(read: ReadControl): CgroupUsage['memory'] {
  const usage = read('memory', 'memory.current');
  if (usage === undefined) return undefined;
  const max = read('memory', 'memory.max')?.trim() ?? 'max';
  return {
    usage: single(usage),
    limit: max === 'max' ? Number.MAX_SAFE_INTEGER : count(max),
    failures: named(keyed(read('memory', 'memory.events') ?? ''), 'oom'),
    details: keyed(read('memory', 'memory.stat') ?? ''),
  };
}

function pidsOf(read: ReadControl): CgroupUsage['pids'] {
  const current = read('pids', 'pids.current');
  if (current === undefined) return undefined;
  const max = read('pids', 'pids.max')?.trim() ?? 'max';
  return { current: single(current), limit: max === 'max' ? undefined : Number(max) };
}

/** Lines like `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function blockIoOf(read: ReadControl): CgroupUsage['blockIo'] {
  const bytes: BlockIoEntry[] = [];
  const operations: BlockIoEntry[] = [];
  for (const line of (read('io', 'io.stat') ?? '').split('\n')) {
    const device = /^(\d+):(\d+) (.*)$/.exec(line);
    if (device === null) continue;
    const values = keyed((device[3] ?? '').replaceAll(' ', '\n').replaceAll('=', ' '));
    const entry = (op: string, name: string) => ({
      major: Number(device[1]),
      minor: Number(device[2]),
      op,
      value: values[name] ?? 0,
    });
    bytes.push(entry('read', 'rbytes'), entry('write', 'wbytes'));
    operations.push(entry('read', 'rios'), entry('write', 'wios'));
  }
  return { bytes, operations };
}
