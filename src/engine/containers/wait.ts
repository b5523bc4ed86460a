import { conflict } from '../../util/errors.ts';
import type { Ending, Tracked } from './tracked.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

const lastEnding = ({ container: { state } }: Tracked): Ending =>
  state.error === '' ? { statusCode: state.exitCode } : { statusCode: state.exitCode, error: state.error };

/**
 * Resolves when the condition is met: at once for `not-running` when nothing runs, at the next end of the process for
 * `next-exit`, after the container is gone for `removed`. Rejects when `signal` fires first.
 */
export function waitFor(tracked: Tracked, condition: WaitCondition, signal: AbortSignal): Promise<Ending> {
  if (condition === 'not-running' && !isRunning(tracked)) return Promise.resolve(lastEnding(tracked));
  const listeners = condition === 'removed' ? tracked.onRemoved : tracked.onExit;
  const { promise, resolve, reject } = Promise.withResolvers<Ending>();
  listeners.add(resolve);
  const abort = (): void => {
    listeners.delete(resolve);
    reject(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', abort));
}

/** True while a process exists, paused or not, or is to be started again by the container's policy: what Docker calls running. */
export function isRunning({ container: { state } }: Tracked): boolean {
  return state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
}

/** @throws `conflict` while a container waits for its policy to start it again: there is no process to act on. */
export function refuseRestarting({ container: { id, state } }: Tracked): void {
  if (state.status !== 'restarting') return;
  throw conflict(`Container ${id} is restarting, wait until the container is running`);
}
