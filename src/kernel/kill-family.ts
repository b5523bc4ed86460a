import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from './processes.ts';

/** How long a process may take to stop: one that waits for a disk cannot. */
const STOP_MS = 1_000;
const LOOK_MS = 2;

/**
 * Kills a process and everything it has forked that still is its descendant.
 *
 * All are stopped first, in rounds until one finds nobody new: a stopped process forks no more, and as long as it is there its children
 * are found through it. A signal is heard a moment after it was sent, and until then its process may fork, so that is waited for.
 */
export async function killFamily(pid: number): Promise<void> {
  if (pid <= 1) return;
  const family = new Set<number>();
  for (let found = [pid]; found.length > 0; found = [...family].flatMap(childrenOf).filter((one) => !family.has(one))) {
    for (const one of found) {
      family.add(one);
      signalProcess(one, 'SIGSTOP');
    }
    await stopped(found);
  }
  for (const one of family) signalProcess(one, 'SIGKILL');
}

/** Resolves when no thread of these runs any more, or has not heard for too long. */
async function stopped(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + STOP_MS;
  const runs = (pid: number): boolean => threadsOf(pid).some((thread) => !isStopped(pid, thread));
  while (pids.some(runs) && performance.now() < deadline) await sleep(LOOK_MS);
}

/** Or has ended. Source: proc_pid_stat(5); the command's name, in parentheses, may hold anything. */
function isStopped(pid: number, thread: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return 'TtZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
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
