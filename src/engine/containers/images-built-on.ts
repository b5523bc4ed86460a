import { kindOf } from '../../util/errors.ts';
import type { Image } from '../engine.ts';
import type { ContainerImages } from './parts.ts';

/** Ids of an image and of every other that has all its layers below its own; undefined when there is no such image. */
export function imagesBuiltOn(images: ContainerImages, ref: string): ReadonlySet<string> | undefined {
  const base = find(images, ref);
  if (base === undefined) return undefined;
  const top = base.chainIds.at(-1);
  const above = images
    .list({ all: true, filters: new Map() })
    .filter((image) => top !== undefined && image.chainIds.includes(top));
  return new Set([base.id, ...above.map(({ id }) => id)]);
}

function find(images: ContainerImages, ref: string): Image | undefined {
  try {
    return images.get(ref);
  } catch (error) {
    if (kindOf(error) === 'not-found' || kindOf(error) === 'invalid') return undefined;
    throw error;
  }
}
