import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a promise resolves before so many milliseconds are over and before `signal` fires. Rejects as it does. */
export async function endsWithin(work: Promise<unknown>, milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  const ended = work.then(() => true);
  if (!Number.isFinite(milliseconds) && signal === undefined) return ended;
  const timer = new AbortController();
  const signals = signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal]);
  const timeout = sleep(Math.min(milliseconds, 2 ** 31 - 1), false, { signal: signals }).catch(() => false);
  try {
    return await Promise.race([ended, timeout]);
  } finally {
    timer.abort();
  }
}
