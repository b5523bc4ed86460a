import { kindOf } from '../../util/errors.ts';
import { bytesBelow } from '../containers/size.ts';
import type { Filters, VolumeView } from '../engine.ts';
import { matchPruneLabels } from '../filters.ts';

/** Removes the volumes that nobody uses and gives their names and bytes. `all`: those with a name too. */
export async function pruneVolumes(
  volumes: readonly VolumeView[],
  o: { filters: Filters; all: boolean; inUse: (name: string) => boolean; erase: (name: string) => Promise<void> },
): Promise<{ deleted: string[]; reclaimed: number }> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { name, anonymous, driver, options, labels, mountpoint } of volumes) {
    // As in Docker: what a plugin has, or options name, is not the engine's own to throw away.
    if (driver !== 'local') continue;
    if (!(o.all || anonymous) || Object.keys(options ?? {}).length > 0 || o.inUse(name)) continue;
    if (!matchPruneLabels(o.filters, labels ?? {})) continue;
    const size = await bytesBelow(mountpoint);
    if (!(await o.erase(name).then(() => true, takenMeanwhile))) continue;
    deleted.push(name);
    reclaimed += size;
  }
  return { deleted, reclaimed };
}

/** Somebody else removed it, or uses it by now: no failure of a prune. */
function takenMeanwhile(error: unknown): false {
  if (!['conflict', 'not-found'].includes(kindOf(error))) throw error;
  return false;
}
