import type { CgroupFacts } from '../host/cgroup-facts.ts';
import { keyed, named } from './counters.ts';
import { controlReader } from './read-control.ts';

/**
 * How many processes of a control group the kernel has killed for want of memory since the group is there; 0 when it is gone.
 * Source: kernel doc cgroup-v1/memory (`memory.oom_control`), cgroup-v2 (`memory.events`).
 */
export function oomKills(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>, path: string): number {
  const file = cgroup.version === 2 ? 'memory.events' : 'memory.oom_control';
  return named(keyed(controlReader(cgroup, path)('memory', file) ?? ''), 'oom_kill');
}

/** Whether it has lost a process to that, or waits for memory because none may be killed (`memory.oom_control`, version 1). */
export function isShortOfMemory(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>, path: string): boolean {
  if (oomKills(cgroup, path) > 0) return true;
  const control = controlReader(cgroup, path)('memory', 'memory.oom_control');
  return named(keyed(control ?? ''), 'under_oom') > 0;
}
