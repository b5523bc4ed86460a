import { conflict, internal, invalid, messageOf } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';
import type { Tracked } from './tracked.ts';
import { isRunning, refuseRestarting } from './wait.ts';

/** What the shim and the runtimes say of a process that is gone, or of its bundle. */
const ENDED = /not found|does not exist|no such (process|file)/i;

export interface ProcessTable {
  titles: string[];
  processes: string[][];
}

/**
 * The processes of a container as the host's `ps` shows them.
 *
 * @throws `conflict` when it does not run; `invalid` when the arguments leave out the PID column.
 */
export async function topOf(tracked: Tracked, psArgs: string): Promise<ProcessTable> {
  const { container, live } = tracked;
  refuseRestarting(tracked);
  const idle = (cause?: unknown) => conflict(`Container ${container.id} is not running`, cause);
  if (!isRunning(tracked) || live === undefined) throw idle();
  const pids = await live.task.pids().catch((error: unknown) => {
    // Its process has ended, and nobody has written that down yet.
    throw ENDED.test(messageOf(error)) ? idle(error) : error;
  });
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  const { code, stdout, stderr } = await run('ps', args, { allowFailure: true });
  if (code !== 0) throw internal(`ps: ${stderr.trim().split('\n')[0] ?? ''}`);
  return selectProcesses(stdout, new Set(pids));
}

/** Picks the rows of the given processes out of what `ps` printed; the last column keeps its blanks. */
export function selectProcesses(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = '', ...lines] = output.split('\n').filter((line) => line !== '');
  const titles = header.trim().split(/\s+/);
  const column = titles.indexOf('PID');
  if (column < 0) throw invalid("Couldn't find PID field in ps output");
  const rows = lines.map((line) => splitRow(line, titles.length));
  return { titles, processes: rows.filter((row) => pids.has(Number(row[column]))) };
}

function splitRow(line: string, columns: number): string[] {
  const words = line.trim().split(/\s+/);
  if (words.length <= columns) return words;
  return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')];
}
