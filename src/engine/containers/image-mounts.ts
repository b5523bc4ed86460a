import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mountLayers } from '../../kernel/mount-layers.ts';
import { unsupported } from '../../util/errors.ts';
import { makeParts, partsOf } from './bundle-parts.ts';
import type { Container } from './model.ts';

/** Bytes the kernel takes of a mount's options. Source: mount(2). */
const OPTIONS_MAX = 4095;

/**
 * Mounts the images that a container has, each in the container's bundle, which takes them along when it goes.
 *
 * @param mapped gives where a layer is seen with the ids of the container.
 * @returns by destination, what is to be bound there: the mounted image, or the file that is all that is wanted of one.
 * @throws `unsupported` for an image of too many layers.
 */
export async function mountImages(
  { mounts, graph }: Pick<Container, 'mounts' | 'graph'>,
  bundle: string,
  mapped: (path: string) => string,
): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  // At the bottom of each, a directory that stays empty: an overlay takes two layers at least.
  const none = join(dirname(graph.upper), 'none');
  for (const { destination, name, manner } of mounts) {
    if (manner?.image === undefined) continue;
    const { kind, paths } = manner.image;
    if (kind === 'file') {
      for (const file of paths) places.set(destination, mapped(file));
      continue;
    }
    const layers = [...paths, none].map(mapped).join(':');
    if (layers.length > OPTIONS_MAX)
      throw unsupported(`image ${name} has too many layers to be mounted at ${destination}`);
    const place = join(partsOf(bundle), `image-${places.size}`);
    await mkdir(none, { recursive: true, mode: 0o711 });
    await makeParts(bundle);
    await mkdir(place, { recursive: true, mode: 0o711 });
    await mountLayers(layers, place);
    places.set(destination, place);
  }
  return places;
}
