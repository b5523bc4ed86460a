import type { RestartPolicy } from '../../spec/container.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A run of this length counts as a success: the next end starts with the first delay again. */
const GOOD_RUN_MS = 10_000;

/** What a policy goes by when a process has ended. */
export interface RunEnd {
  exitCode: number;
  /** By a clock that nobody sets. */
  ranMs: number;
  /** The wait before this run; 0 when somebody started it. */
  lastDelay: number;
  restartCount: number;
  stoppedByHand: boolean;
}

/** How long to wait before a container is started again; undefined: it stays down. */
export function nextDelay(policy: RestartPolicy, end: RunEnd): number | undefined {
  if (end.stoppedByHand || !allows(policy, end)) return undefined;
  return backOff(end);
}

/** The first delay, doubled with every short run, up to a limit. */
export function backOff({ ranMs, lastDelay }: Pick<RunEnd, 'ranMs' | 'lastDelay'>): number {
  if (ranMs >= GOOD_RUN_MS || lastDelay === 0) return FIRST_DELAY_MS;
  return Math.min(2 * lastDelay, LONGEST_DELAY_MS);
}

function allows({ Name, MaximumRetryCount }: RestartPolicy, { exitCode, restartCount }: RunEnd): boolean {
  if (Name === 'on-failure') return exitCode !== 0 && !isSpent({ Name, MaximumRetryCount }, restartCount);
  return Name === 'always' || Name === 'unless-stopped';
}

/** `on-failure:n` has restarted it n times. */
export function isSpent({ Name, MaximumRetryCount: most }: RestartPolicy, restartCount: number): boolean {
  return Name === 'on-failure' && most > 0 && restartCount >= most;
}

/**
 * Whether the engine starts a container that was down when the engine itself came up, as after a boot of the host. Whoever was
 * waiting for a restart is not asked: that restart was promised.
 */
export function startsWithEngine({ Name }: RestartPolicy, stoppedByHand: boolean): boolean {
  return Name === 'always' || (Name === 'unless-stopped' && !stoppedByHand);
}
