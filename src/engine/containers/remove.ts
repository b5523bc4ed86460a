import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict } from '../../util/errors.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { killContainer } from './stop.ts';
import { notify, type Tracked } from './tracked.ts';
import { dropAnonymous } from './volume-mounts.ts';
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
  await parts.locks.run(container.id, () => erase(parts, tracked, options));
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

/** Takes away the row, then what it stood for: a crash between the two leaves only what the next start sweeps. */
async function erase(parts: Parts, tracked: Tracked, { volumes }: RemoveOptions): Promise<void> {
  const { container } = tracked;
  if (parts.registry.byId(container.id) !== tracked) return;
  // Started again by somebody between the check and the lock.
  if (isRunning(tracked)) throw conflict(refusal(tracked));
  const { exitCode } = container.state;
  parts.rows.remove(container.id);
  container.state.status = 'removing';
  await rm(join(parts.paths.containers, container.id), { recursive: true, force: true }).catch((error: unknown) => {
    parts.log.warn('files of a removed container stay until the next start', { container: container.id, error });
  });
  parts.registry.drop(container);
  if (volumes) await dropAnonymous(parts, container);
  await parts.images.releaseUnused();
  for (const pending of tracked.pendingAttaches) pending.done.resolve('ended');
  tracked.pendingAttaches.clear();
  emitContainer(parts.events, container, 'destroy');
  notify(tracked.onRemoved, { statusCode: exitCode });
  notify(tracked.onExit, { statusCode: exitCode });
}
