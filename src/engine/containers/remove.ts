import { conflict } from '../../util/errors.ts';
import { erase } from './erase.ts';
import type { Parts } from './parts.ts';
import { killContainer } from './stop.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

export interface RemoveOptions {
  /** Kill it first when it runs. */
  force: boolean;
  /** Remove its anonymous volumes too. */
  volumes: boolean;
}

/** Removes a container. @throws `conflict` when it runs and `force` is not given, or is being removed already. */
export async function removeContainer(parts: Parts, tracked: Tracked, options: RemoveOptions): Promise<void> {
  const { container } = tracked;
  if (container.state.status === 'removing') {
    throw conflict(`removal of container ${container.id} is already in progress`);
  }
  if (isRunning(tracked)) {
    if (!options.force) throw conflict(refusal(tracked));
    await killContainer(parts, tracked, 'KILL');
  }
  await parts.locks.run(container.id, async () => {
    // Started again by somebody between the check and the lock.
    if (isRunning(tracked)) throw conflict(refusal(tracked));
    await erase(parts, tracked, options);
  });
}

function refusal({ container }: Tracked): string {
  if (container.state.status === 'paused') {
    return `You cannot remove a paused container ${container.id}. Unpause and then stop the container before attempting removal or force remove`;
  }
  if (container.state.status === 'restarting') {
    return `You cannot remove a restarting container ${container.id}. Stop the container before attempting removal or force remove`;
  }
  return `You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`;
}
