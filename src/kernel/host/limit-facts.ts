import { join } from 'node:path';
import type { CgroupFacts } from './cgroup-facts.ts';

/** Which limits this kernel can enforce on a container. */
export interface LimitFacts {
  memory: boolean;
  swap: boolean;
  memoryReservation: boolean;
  memorySwappiness: boolean;
  oomKillDisable: boolean;
  cpuShares: boolean;
  cpuCfsPeriod: boolean;
  cpuCfsQuota: boolean;
  cpuRealtime: boolean;
  cpuset: boolean;
  pids: boolean;
  blkioWeight: boolean;
  blkioWeightDevice: boolean;
  blkioThrottle: boolean;
}

/**
 * Tells from the files of the control groups which limits exist. On version 1 a controller's root directory shows its
 * files; on version 2 most are missing from the root, so there the controller stands for them.
 *
 * `own` is the group of this process on version 2, as /proc/self/cgroup has it.
 */
export function probeLimits(cgroup: CgroupFacts, exists: (path: string) => boolean, own = '/'): LimitFacts {
  return cgroup.version === 2 ? unifiedLimits(cgroup, exists, own) : version1Limits(cgroup, exists);
}

function version1Limits({ mounts, controllers }: CgroupFacts, exists: (path: string) => boolean): LimitFacts {
  const has = (controller: string, file: string): boolean => {
    const mount = mounts[controller];
    return mount !== undefined && exists(join(mount, file));
  };
  return {
    memory: controllers.has('memory'),
    swap: has('memory', 'memory.memsw.limit_in_bytes'),
    memoryReservation: has('memory', 'memory.soft_limit_in_bytes'),
    memorySwappiness: has('memory', 'memory.swappiness'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    cpuShares: has('cpu', 'cpu.shares'),
    cpuCfsPeriod: has('cpu', 'cpu.cfs_period_us'),
    cpuCfsQuota: has('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: has('cpu', 'cpu.rt_runtime_us'),
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: has('blkio', 'blkio.weight'),
    blkioWeightDevice: has('blkio', 'blkio.weight_device'),
    blkioThrottle: has('blkio', 'blkio.throttle.read_bps_device'),
  };
}

/** Version 2 can neither switch off the OOM killer nor set swappiness or realtime shares per group. */
function unifiedLimits({ controllers, unified = '' }: CgroupFacts, exists: (path: string) => boolean, own: string) {
  const cpu = controllers.has('cpu');
  const memory = controllers.has('memory');
  const io = controllers.has('io');
  return {
    memory,
    // Swap may be counted or not, which the root does not show.
    swap: memory && exists(own === '/' ? '/proc/swaps' : join(unified, own, 'memory.swap.max')),
    memoryReservation: memory,
    memorySwappiness: false,
    oomKillDisable: false,
    cpuShares: cpu,
    cpuCfsPeriod: cpu,
    cpuCfsQuota: cpu,
    cpuRealtime: false,
    cpuset: controllers.has('cpuset'),
    pids: controllers.has('pids'),
    blkioWeight: io,
    blkioWeightDevice: io,
    blkioThrottle: io,
  };
}
