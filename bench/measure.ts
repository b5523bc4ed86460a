import type { Target } from '../test/support/target.ts';

/** One line of the table: a piece of work timed on both engines. */
export interface Row {
  readonly name: string;
  /** How often each engine does it; the engines take turns. */
  readonly rounds: number;
  /** Largest ratio gantry / dockerd that is within the budget. */
  readonly budget: number;
  readonly unit: 'ms' | 'MB';
  /** Does the work once and gives the figure; whatever is not part of it (set-up, clean-up) stays outside the clock. */
  measure(target: BenchTarget): Promise<number>;
  /** Done once per engine before the first round. */
  prepare?(target: BenchTarget): Promise<void>;
  cleanup?(target: BenchTarget): Promise<void>;
}

export interface BenchTarget extends Target {
  /** Processes that make up the engine: itself and everything it started that is not a container's own process. */
  engineProcesses(): Promise<number[]>;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Runs the official command line and insists on success. */
export async function cli(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args, { timeout: 300_000 });
  if (code !== 0) throw new Error(`docker ${args.join(' ')} on ${target.name}: ${stderr}`);
  return stdout;
}

/** One API call that must answer below 400. */
export async function post(
  target: Target,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const reply = await target.api(method, path, body);
  if (reply.status >= 400) throw new Error(`${method} ${path} on ${target.name}: ${reply.status} ${reply.text}`);
  return reply.text.startsWith('{') ? reply.json() : {};
}
