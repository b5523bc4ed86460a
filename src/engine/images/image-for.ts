import type { Platform } from '../../spec/image.ts';
import { notFound } from '../../util/errors.ts';
import type { Image } from '../engine.ts';
import type { Collection } from './collection.ts';
import { platformName } from './platform-choice.ts';

/** The image a name leads to, for a platform where one is asked for. @throws `not-found` in Docker's words; `invalid`. */
export function imageFor({ catalogue }: Collection, ref: string, platform: Platform | undefined): Image {
  if (platform === undefined) return catalogue.resolve(ref);
  const image = catalogue.resolveFor(ref, platform);
  if (image !== undefined) return image;
  throw notFound(
    `image with reference ${ref} was found but does not provide the specified platform (${platformName(platform)})`,
  );
}
