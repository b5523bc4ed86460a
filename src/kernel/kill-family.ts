import { readdirSync, readFileSync } from 'node:fs';
import { signalProcess } from './processes.ts';

/**
 * Kills a process and everything it has forked that still is its descendant.
 *
 * All are stopped first, in rounds until one finds nobody new: a stopped process forks no more, and as long as it is there its children
 * are found through it.
 */
export function killFamily(pid: number): void {
  if (pid <= 1) return;
  const family = new Set<number>();
  for (let found = [pid]; found.length > 0; found = [...family].flatMap(childrenOf).filter((one) => !family.has(one))) {
    for (const one of found) {
      family.add(one);
      signalProcess(one, 'SIGSTOP');
    }
  }
  for (const one of family) signalProcess(one, 'SIGKILL');
}

/** Of all its threads. Source: proc_pid_task_children(5). A process may end while it is looked at. */
function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      return text
        .split(' ')
        .filter((word) => word !== '')
        .map(Number);
    } catch {
      return [];
    }
  });
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
