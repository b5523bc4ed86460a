import type { Parts } from './parts.ts';
import { saveState } from './save-state.ts';
import { notify, type Tracked } from './tracked.ts';

/**
 * Takes back the restart that a container waits for; it is then stopped.
 *
 * @returns false when there was none to take back, because it has been started just now.
 */
export function giveUpRestart(parts: Parts, tracked: Tracked): Promise<boolean> {
  const { container } = tracked;
  return parts.locks.run(container.id, async () => {
    if (container.state.status !== 'restarting') return false;
    parts.restarts.cancel(container.id);
    container.state = { ...container.state, status: 'exited' };
    saveState(parts, container);
    notify(tracked.onExit, { statusCode: container.state.exitCode });
    return true;
  });
}
