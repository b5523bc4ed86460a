import { join } from 'node:path';
import { removeBundle } from '../../kernel/bundle.ts';
import { mountBeneath } from '../../kernel/mount-beneath.ts';
import { kindOf } from '../../util/errors.ts';
import { makeParts, partsOf } from './bundle-parts.ts';
import type { Container, ContainerMount } from './model.ts';
import type { Parts } from './parts.ts';
import { seenUserns } from './userns-of.ts';

/**
 * The mounts of a container, with places in its bundle as the sources of those that are a part of a volume: there is mounted what was
 * opened beneath the volume, so that no link that somebody makes meanwhile leads out of it. The places go with the bundle.
 *
 * @throws `not-found`, `invalid` in Docker's words where the volume has no such path.
 */
export async function placeSubpaths(
  parts: Pick<Parts, 'paths' | 'userns'>,
  container: Pick<Container, 'id' | 'mounts' | 'hostConfig'>,
): Promise<ContainerMount[]> {
  const userns = await seenUserns(parts, container);
  const bundle = join(parts.paths.bundles, container.id);
  const placed: ContainerMount[] = [];
  for (const [index, mount] of container.mounts.entries()) {
    const subpath = mount.manner?.subpath ?? '';
    const place = join(partsOf(bundle), String(index));
    if (subpath !== '') {
      await makeParts(bundle);
      await mountBeneath({ root: userns?.mapped(mount.source) ?? mount.source, subpath, place });
    }
    placed.push(subpath === '' ? mount : { ...mount, source: place });
  }
  return placed;
}

/** Work on a part of a volume of a container that does not exist yet. Nothing is done where there is no such part: its start will say so. */
export async function withSubpath(
  { paths }: Pick<Parts, 'paths'>,
  o: { containerId: string; root: string; subpath: string },
  work: (place: string) => Promise<void>,
): Promise<void> {
  const bundle = join(paths.bundles, o.containerId);
  const place = join(partsOf(bundle), 'filled');
  await makeParts(bundle);
  try {
    const found = await mountBeneath({ root: o.root, subpath: o.subpath, place }).then(() => true, noSuchPart);
    if (found) await work(place);
  } finally {
    await removeBundle(bundle);
  }
}

function noSuchPart(error: unknown): false {
  if (!['not-found', 'invalid'].includes(kindOf(error))) throw error;
  return false;
}
