import type { Health, ProbeResult } from '../containers/model.ts';

const KEPT_RESULTS = 5;

/** The health of a process that was just started. What earlier ones answered stays in the log. */
export function startingHealth(before: Health | undefined): Health {
  return { status: 'starting', failingStreak: 0, log: before?.log ?? [], healing: false };
}

/** As Docker has it: whatever is not checked any more, because it has ended or is frozen, is not healthy. */
export function uncheckedHealth(before: Health | undefined): Health | undefined {
  return before && { ...before, status: 'unhealthy' };
}

/** What a probe's answer makes of a container's health. In the start period failures count only once it has been healthy. */
export function afterProbe(
  before: Health,
  result: ProbeResult,
  { retries, inStartPeriod }: { retries: number; inStartPeriod: boolean },
): Health {
  const log = [...before.log, result].slice(-KEPT_RESULTS);
  if (result.exitCode === 0) return { ...before, log, status: 'healthy', failingStreak: 0, healing: false };
  if (inStartPeriod && before.status === 'starting') return { ...before, log };
  const failingStreak = before.failingStreak + 1;
  return { ...before, log, failingStreak, status: failingStreak >= retries ? 'unhealthy' : before.status };
}
