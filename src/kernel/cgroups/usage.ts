import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../util/errors.ts';
import type { RawNumber } from '../../util/raw-number.ts';
import type { CgroupFacts } from '../host/cgroup-facts.ts';
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

/** Reads a file below the mount point of a controller; undefined when it is not there. */
export type ReadControl = (controller: string, file: string) => string | undefined;

/** Reads what a group uses now; undefined when it is gone. `path` is what the runtime was given. */
export function readUsage(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>, path: string) {
  const root = (controller: string) => (cgroup.version === 2 ? cgroup.unified : cgroup.mounts[controller]);
  const read: ReadControl = (controller, file) => {
    const mount = root(controller);
    return mount === undefined ? undefined : readControl(join(mount, path, file));
  };
  const usage = cgroup.version === 2 ? usageV2(read) : usageV1(read);
  return usage.cpu === undefined && usage.memory === undefined && usage.pids === undefined ? undefined : usage;
}

/** Without waiting: such a file is made while it is read, and takes some microseconds. */
function readControl(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // A group that is removed while it is looked at answers ENODEV; some files are there and say EOPNOTSUPP.
    if (hasCode(error, 'ENOENT', 'ENODEV', 'ENOTDIR', 'EOPNOTSUPP', 'EINVAL')) return undefined;
    throw error;
  }
}
