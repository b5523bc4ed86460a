import { join } from 'node:path';
import { removeTree } from '../../util/remove-tree.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { notify, type Tracked } from './tracked.ts';
import { announceDrop, dropAnonymous, settleVolumes } from './volume-mounts.ts';

/**
 * Takes away the row of a container that does not run, then what it stood for: a crash between the two leaves only what the next
 * start sweeps. To be called under its lock; one that is gone already is left alone.
 */
export async function erase(parts: Parts, tracked: Tracked, { volumes }: { volumes: boolean }): Promise<void> {
  const { container } = tracked;
  if (parts.registry.byId(container.id) !== tracked) return;
  const { exitCode } = container.state;
  if (volumes) await announceDrop(parts, container);
  try {
    parts.rows.remove(container.id);
  } catch (error) {
    if (volumes) await settleVolumes(parts, container);
    throw error;
  }
  container.state.status = 'removing';
  await removeTree(join(parts.paths.containers, container.id)).catch((error: unknown) => {
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
