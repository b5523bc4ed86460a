import { availableParallelism } from 'node:os';
import { messageOf } from '../../util/errors.ts';
import { type Container, NEVER } from './model.ts';
import type { Parts } from './parts.ts';
import { startsWithEngine } from './restart-policy.ts';
import { openRestartTimers, type RestartTimers } from './restart-timers.ts';
import { startAgain } from './start.ts';

/** Restarts by policy. A boot of the host asks for all of them at once, so no more run at a time than there are processors. */
export function openRestarts(parts: () => Parts): RestartTimers {
  return openRestartTimers((id) => restartDue(parts(), id), availableParallelism());
}

/** The delay of a container is over. One that was stopped or removed meanwhile is left alone. */
async function restartDue(parts: Parts, id: string): Promise<void> {
  const tracked = parts.registry.byId(id);
  if (tracked === undefined) return;
  await startAgain(parts, tracked).catch((error: unknown) => {
    parts.log.warn('a container could not be restarted', { container: id, error: messageOf(error) });
  });
}

/**
 * Once all has been recovered and the API listens, as a container may have the engine's socket: what waited for a restart goes on waiting, and
 * what is to come up with the engine comes up.
 *
 * @returns what ends all restarts when it is disposed of.
 */
export function resumeRestarts(parts: Parts): Disposable {
  parts.restarts.begin();
  for (const { container } of parts.registry.all().toReversed()) {
    const { state, hostConfig } = container;
    if (state.status !== 'restarting' && !isDue(container)) continue;
    const delay = state.status === 'restarting' ? state.restartDelay : 0;
    container.state = { ...state, status: 'restarting' };
    parts.restarts.schedule(container.id, hostConfig.RestartPolicy.Name === 'on-failure' ? delay : 0);
  }
  return parts.restarts;
}

function isDue({ state, hostConfig }: Container): boolean {
  if (state.status !== 'exited' || state.startedAt === NEVER) return false;
  return startsWithEngine(hostConfig.RestartPolicy, state.stoppedByHand);
}
