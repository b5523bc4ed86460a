import type { ImageConfig, Platform } from '../../spec/image.ts';
import { familiarString, type ImageReference, parseAnyReference, tagNameOnly } from '../../spec/reference.ts';
import type { Blob } from '../../store/content.ts';
import { isDigest } from '../../util/digest.ts';
import { notFound } from '../../util/errors.ts';
import type { Image } from '../engine.ts';
import { type ImageNames, newImageNames } from './image-names.ts';
import { choosePlatform, platformOf } from './platform-choice.ts';

/** An image without its names. */
export interface StoredImage {
  readonly id: string;
  readonly config: ImageConfig;
  readonly chainIds: readonly string[];
  /** The manifest it came with, or that was made for it. */
  manifest: Blob | undefined;
  /** Bytes of all its layers, unpacked. */
  readonly size: number;
  taggedAt: string;
  /** The image that it was committed on; it may be gone. */
  readonly parent?: string | undefined;
}

/** All images and their names, in memory: what every query reads. The rows of the store are the truth behind it. */
export interface Catalogue extends ImageNames {
  readonly all: () => Image[];
  readonly byId: (id: string) => Image | undefined;
  readonly stored: (id: string) => StoredImage | undefined;
  /** The id of the image that came with a manifest. */
  readonly withManifest: (digest: string) => string | undefined;
  /** The images that were committed on it. */
  readonly children: (id: string) => string[];
  /** @throws `not-found`, `invalid`. */
  readonly resolve: (ref: string) => Image;
  /**
   * The image for a platform among those that the name leads to, with the names of the whole; undefined when that one is not here.
   *
   * @throws `not-found`, `invalid` for the name.
   */
  readonly resolveFor: (ref: string, platform: Platform) => Image | undefined;
  readonly add: (image: StoredImage) => void;
}

const missing = (ref: ImageReference | string) =>
  notFound(`No such image: ${typeof ref === 'string' ? ref : familiarString(tagNameOnly(ref))}`);

export function newCatalogue(): Catalogue {
  const images = new Map<string, StoredImage>();
  const names = newImageNames();

  /** @param as the image whose names it is shown with. */
  const view = (image: StoredImage, as = image.id, reference?: ImageReference): Image => {
    const { id, config, chainIds, size, taggedAt } = image;
    const all = names.references(as);
    // In the order of their full names, as Docker tells them.
    const named = (digest: boolean): string[] =>
      all.filter((ref) => (ref.digest !== undefined) === digest).map(familiarString);
    const parent = image.parent !== undefined && images.has(image.parent) ? image.parent : undefined;
    const target = names.indexOf(as, reference) ?? image.manifest;
    return { id, config, chainIds, size, taggedAt, repoTags: named(false), repoDigests: named(true), parent, target };
  };

  /** The only image whose id starts so. */
  const search = (term: string): string | undefined => {
    const prefix = term.startsWith('sha256:') ? term : `sha256:${term}`;
    if (!/^sha256:[a-f0-9]+$/.test(prefix)) return undefined;
    const found = [...images.keys()].filter((id) => id.startsWith(prefix));
    return found.length === 1 ? found[0] : undefined;
  };

  /** With the name, when it is by one that `ref` leads there. */
  const find = (ref: string): { image: StoredImage; reference: ImageReference | undefined } => {
    const parsed = parseAnyReference(ref);
    const named = typeof parsed === 'string' ? undefined : names.lookup(parsed);
    const id = typeof parsed === 'string' ? parsed : (named ?? search(ref));
    const image = id === undefined ? undefined : images.get(id);
    if (image === undefined) throw missing(parsed);
    return { image, reference: named === undefined || typeof parsed === 'string' ? undefined : parsed };
  };

  return {
    ...names,
    all: () => [...images.values()].map((image) => view(image)),
    byId: (id) => {
      const image = images.get(id);
      return image === undefined ? undefined : view(image);
    },
    stored: (id) => images.get(id),
    withManifest: (digest) => [...images.values()].find(({ manifest }) => manifest?.digest === digest)?.id,
    children: (id) => [...images.values()].filter(({ parent }) => parent === id).map((child) => child.id),
    resolve: (ref) => {
      const { image, reference } = find(ref);
      return view(image, image.id, reference);
    },
    resolveFor: (ref, platform) => {
      const { image, reference } = find(ref);
      const index = names.indexOf(image.id, reference);
      const near = index?.entries.flatMap((entry) => {
        const one = images.get(index.images.get(entry.digest) ?? '');
        return one === undefined ? [] : [{ one, platform: entry.platform ?? platformOf(one.config) }];
      });
      const alone = [{ one: image, platform: platformOf(image.config) }];
      const fitting = choosePlatform(near ?? alone, platform);
      return fitting === undefined ? undefined : view(fitting.one, image.id, reference);
    },
    add: (image) => void images.set(image.id, image),
    drop: (id) => {
      names.drop(id);
      images.delete(id);
    },
  };
}

/**
 * Whether `ref` names `id` by its digits rather than by a tag, as Docker's removal asks.
 */
export function isIdPrefix(id: string, ref: string): boolean {
  return id.startsWith(ref) || (isDigest(id) && id.slice('sha256:'.length).startsWith(ref));
}
