import { readFileSync } from 'node:fs';
import { killProcess } from './processes.ts';

/** Kills a process and everything it has forked that still is its descendant, parents first so that none forks meanwhile. */
export function killFamily(pid: number): void {
  if (pid <= 1) return;
  const children = childrenOf(pid);
  killProcess(pid);
  for (const child of children) killFamily(child);
}

/** Source: proc_pid_task_children(5). A process may end while it is looked at. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .split(' ')
      .filter((word) => word !== '')
      .map(Number);
  } catch {
    return [];
  }
}
