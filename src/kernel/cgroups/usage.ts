import type { RawNumber } from '../../util/raw-number.ts';
import type { CgroupFacts } from '../host/cgroup-facts.ts';
import { controlReader } from './read-control.ts';
import { usageV1 } from './usage-v1.ts';
import { usageV2 } from './usage-v2.ts';

/** A counter of the kernel's, which may be too large for a JavaScript number. */
export type Count = number | RawNumber;

export interface BlockIoEntry {
  major: number;
  minor: number;
  op: string;
  value: Count;
}

/** What one control group uses, in bytes and nanoseconds. What the host does not count is undefined. */
export interface CgroupUsage {
  cpu:
    | {
        total: number;
        /** Of each processor; version 1 only. */
        perCpu?: readonly number[];
        kernel: number;
        user: number;
        throttling: { periods: number; throttledPeriods: number; throttledTime: number };
      }
    | undefined;
  memory:
    | {
        usage: number;
        /** The highest there was; version 1 only. */
        maxUsage?: number;
        limit: Count;
        failures: number;
        details: Readonly<Record<string, Count>>;
      }
    | undefined;
  /** `limit` is undefined when there is none. */
  pids: { current: number; limit: number | undefined } | undefined;
  blockIo: { bytes: readonly BlockIoEntry[]; operations: readonly BlockIoEntry[] };
}

/** Reads what a group uses now; undefined when it is gone. `path` is what the runtime was given. */
export function readUsage(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>, path: string) {
  const read = controlReader(cgroup, path);
  const usage = cgroup.version === 2 ? usageV2(read) : usageV1(read);
  return usage.cpu === undefined && usage.memory === undefined && usage.pids === undefined ? undefined : usage;
}
