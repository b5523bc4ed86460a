import type { ImageConfig } from '../../spec/image.ts';
import { familiarString, type ImageReference, parseAnyReference, tagNameOnly } from '../../spec/reference.ts';
import { isDigest } from '../../util/digest.ts';
import { notFound } from '../../util/errors.ts';
import type { Image } from '../engine.ts';

/** An image without its names. */
export interface StoredImage {
  readonly id: string;
  readonly config: ImageConfig;
  readonly chainIds: readonly string[];
  /** Digest of the manifest it came with. */
  manifest: string | undefined;
  /** Bytes of all its layers, unpacked. */
  readonly size: number;
  taggedAt: string;
  /** The image that it was committed on; it may be gone. */
  readonly parent?: string | undefined;
}

/** All images and their names, in memory: what every query reads. The rows of the store are the truth behind it. */
export interface Catalogue {
  readonly all: () => Image[];
  readonly byId: (id: string) => Image | undefined;
  readonly stored: (id: string) => StoredImage | undefined;
  /** The images that were committed on it. */
  readonly children: (id: string) => string[];
  /** @throws `not-found`, `invalid`. */
  readonly resolve: (ref: string) => Image;
  /** The id a tag or digest leads to. */
  readonly lookup: (reference: ImageReference) => string | undefined;
  /** Every tag and digest of an image, sorted. */
  readonly references: (id: string) => ImageReference[];
  readonly add: (image: StoredImage) => void;
  readonly point: (reference: ImageReference, id: string) => void;
  readonly unpoint: (reference: ImageReference) => void;
  readonly drop: (id: string) => void;
}

const compare = (a: string, b: string): number => Number(a > b) - Number(a < b);

/** A digest decides when there is one: it cannot move. */
function keyOf(reference: ImageReference): string {
  const { name, tag, digest } = tagNameOnly(reference);
  return digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
}

const missing = (ref: ImageReference | string) =>
  notFound(`No such image: ${typeof ref === 'string' ? ref : familiarString(tagNameOnly(ref))}`);

export function newCatalogue(): Catalogue {
  const images = new Map<string, StoredImage>();
  const names = new Map<string, { reference: ImageReference; id: string }>();
  /** Per image: the keys of its names. */
  const keys = new Map<string, Set<string>>();

  const references = (id: string): ImageReference[] =>
    [...(keys.get(id) ?? [])].toSorted(compare).flatMap((key) => names.get(key)?.reference ?? []);

  const view = (image: StoredImage): Image => {
    const all = references(image.id);
    const { id, config, chainIds, size, taggedAt } = image;
    const repoTags = all
      .filter((ref) => ref.digest === undefined)
      .map(familiarString)
      .toSorted(compare);
    const repoDigests = all
      .filter((ref) => ref.digest !== undefined)
      .map(familiarString)
      .toSorted(compare);
    const parent = image.parent !== undefined && images.has(image.parent) ? image.parent : undefined;
    return { id, config, chainIds, size, taggedAt, repoTags, repoDigests, parent };
  };

  const byId = (id: string): Image | undefined => {
    const image = images.get(id);
    return image === undefined ? undefined : view(image);
  };

  /** The only image whose id starts so. */
  const search = (term: string): string | undefined => {
    const prefix = term.startsWith('sha256:') ? term : `sha256:${term}`;
    if (!/^sha256:[a-f0-9]+$/.test(prefix)) return undefined;
    const found = [...images.keys()].filter((id) => id.startsWith(prefix));
    return found.length === 1 ? found[0] : undefined;
  };

  const lookup = (reference: ImageReference): string | undefined => names.get(keyOf(reference))?.id;

  const unpoint = (reference: ImageReference): void => {
    const key = keyOf(reference);
    const before = names.get(key);
    if (before === undefined) return;
    names.delete(key);
    keys.get(before.id)?.delete(key);
  };

  return {
    all: () => [...images.values()].map(view),
    byId,
    stored: (id) => images.get(id),
    children: (id) => [...images.values()].filter(({ parent }) => parent === id).map((child) => child.id),
    references,
    lookup,
    unpoint,
    resolve: (ref) => {
      const parsed = parseAnyReference(ref);
      const id = typeof parsed === 'string' ? parsed : (lookup(parsed) ?? search(ref));
      const image = id === undefined ? undefined : byId(id);
      if (image === undefined) throw missing(parsed);
      return image;
    },
    add: (image) => void images.set(image.id, image),
    point: (reference, id) => {
      unpoint(reference);
      const { name, tag, digest } = tagNameOnly(reference);
      const whole = digest === undefined ? { name, tag: tag ?? 'latest' } : { name, digest };
      const key = keyOf(whole);
      names.set(key, { reference: whole, id });
      const own = keys.get(id) ?? new Set();
      keys.set(id, own.add(key));
    },
    drop: (id) => {
      for (const reference of references(id)) unpoint(reference);
      keys.delete(id);
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
