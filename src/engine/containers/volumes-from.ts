import type { HostConfig } from '../../spec/container.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import { parseVolumesFrom } from '../runtime-spec/volumes-from.ts';
import { wantedMounts } from '../runtime-spec/wanted-mounts.ts';
import type { Container, ContainerMount } from './model.ts';
import type { Registry } from './registry.ts';

/**
 * What a container takes over from those that `VolumesFrom` names: everything mounted in them, but where it mounts something itself. Of two
 * that mount at one place the later one counts.
 *
 * @throws `invalid` in Docker's words for a container there is not, and for a tmpfs, which nobody can share.
 */
export function borrowedMounts(registry: Pick<Registry, 'find'>, hostConfig: HostConfig): ContainerMount[] {
  const own = new Set(wantedMounts(hostConfig).map(({ destination }) => destination));
  const byPlace = new Map<string, ContainerMount>();
  for (const spec of hostConfig.VolumesFrom ?? []) {
    const { ref, readOnly } = parseVolumesFrom(spec);
    const donor = donorOf(registry, ref);
    for (const mount of donor.mounts) {
      if (own.has(mount.destination)) continue;
      if (mount.type === 'tmpfs') {
        throw invalid(
          `the tmpfs at ${mount.destination} of container ${donor.name} cannot be shared with another container`,
        );
      }
      // As in Docker the mode was the donor's; whether it may be written to is told by `RW`.
      byPlace.set(mount.destination, { ...mount, mode: '', rw: mount.rw && !readOnly });
    }
  }
  return [...byPlace.values()];
}

function donorOf(registry: Pick<Registry, 'find'>, ref: string): Container {
  try {
    return registry.find(ref).container;
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
}
