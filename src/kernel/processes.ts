import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, internal } from '../util/errors.ts';

/** A process of the host as /proc shows it. */
export interface HostProcess {
  readonly pid: number;
  /** Empty for a kernel thread and for one that has ended. */
  readonly args: readonly string[];
  /** Working directory; empty when it cannot be known. */
  readonly cwd: string;
}

const ATTEMPTS = 200;
const PAUSE_MS = 10;

/** All processes, as they are in this moment. Source: proc(5). */
export function hostProcesses(): HostProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => ({
    pid: Number(pid),
    args: orEmpty(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      .split('\0')
      .slice(0, -1),
    cwd: orEmpty(() => readlinkSync(`/proc/${pid}/cwd`)),
  }));
}

/**
 * Kills every process that `which` picks, those they fork meanwhile too, and waits until there is none.
 *
 * @throws `internal` when one would not go.
 */
export async function endProcesses(which: (process: HostProcess) => boolean): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = hostProcesses().filter((it) => it.args.length > 0 && it.pid !== process.pid && which(it));
    if (found.length === 0) return;
    for (const { pid } of found) killProcess(pid);
    await delay(PAUSE_MS);
  }
  throw internal('a left-over process cannot be killed');
}

export function killProcess(pid: number): void {
  signalProcess(pid, 'SIGKILL');
}

/** One that has ended already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** A process may end while it is looked at. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
