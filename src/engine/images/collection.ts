import * as v from 'valibot';
import { ImageConfigSchema } from '../../spec/image.ts';
import { JSON_LIMIT } from '../../spec/manifest.ts';
import type { ImageReference } from '../../spec/reference.ts';
import type { ImageRow } from '../../store/image-rows.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { chainIdsOf } from '../../util/digest.ts';
import type { Log } from '../../util/log.ts';
import { type Catalogue, newCatalogue, type StoredImage } from './catalogue.ts';

/** `tagged_at` of an image that was removed by force while a container still stands on its layers. */
const REMOVED = 'removed';

export interface NewImage {
  readonly image: StoredImage;
  readonly tags: readonly ImageReference[];
  /** Names by the digests it came with from a registry. */
  readonly digests?: readonly ImageReference[];
  /** Blobs it needs besides its config, manifest and layers. */
  readonly blobs?: readonly string[];
}

/** The rows and their picture in memory, changed together. */
export interface Collection {
  readonly catalogue: Catalogue;
  readonly store: Store;
  /** An image for what was made of it: also one that was removed by force. */
  readonly stored: (id: string) => StoredImage | undefined;
  /** Adds images and moves tags to them, all or nothing; gives the ids that lost a tag, by position. Durable on return. */
  readonly add: (lease: Lease, images: readonly NewImage[]) => Promise<(string | undefined)[][]>;
  /** Moves a tag; the image is there. */
  readonly setTag: (reference: ImageReference, id: string) => void;
  /** Names an image by a digest that a registry has it under. */
  readonly addDigest: (reference: ImageReference, id: string) => void;
  readonly removeReference: (reference: ImageReference) => void;
  /** Removes the image and its names. With `keep` its layers stay until `release`. Gives the chain ids no image needs now, top first. */
  readonly remove: (id: string, keep: boolean) => string[];
  /** Lets go of the removed images that `used` does not hold any more. */
  readonly release: (used: (id: string) => boolean) => Promise<void>;
  /** Frees the disk of what is not needed any more. */
  readonly collect: () => Promise<void>;
}

/** The images of a store, read into memory. */
export async function openCollection(store: Store, log: Log): Promise<Collection> {
  const catalogue = newCatalogue();
  const removed = new Map<string, StoredImage>();
  for (const row of store.images.all()) {
    const image = await readStored(store, row);
    if (row.taggedAt === REMOVED) removed.set(row.id, image);
    else catalogue.add(image);
  }
  for (const { name, tag, image } of store.images.allTags()) catalogue.point({ name, tag }, image);
  for (const { name, digest, image } of store.images.allDigests()) catalogue.point({ name, digest }, image);
  return newCollection({ store, catalogue, removed, log });
}

interface Parts {
  readonly store: Store;
  readonly catalogue: Catalogue;
  /** Removed by force, still needed by containers. */
  readonly removed: Map<string, StoredImage>;
  readonly log: Log;
}

function newCollection(parts: Parts): Collection {
  const { store, catalogue, removed } = parts;
  const collect = (): Promise<void> => collectGarbage(parts);
  return {
    catalogue,
    store,
    collect,
    stored: (id) => catalogue.stored(id) ?? removed.get(id),
    add: async (lease, images) => {
      try {
        return await lease.commit(() => images.map((image) => addOne(parts, image)));
      } catch (error) {
        for (const image of images) undo(parts, image);
        throw error;
      }
    },
    setTag: (reference, id) => void store.db.transaction(() => pointTag(parts, reference, id)),
    addDigest: (reference, id) => pointDigest(parts, reference, id),
    removeReference: (reference) => {
      const { name, tag = 'latest', digest } = reference;
      if (digest === undefined) store.images.removeTag(name, tag);
      else store.images.removeDigest(name, digest);
      catalogue.unpoint(reference);
    },
    remove: (id, keep) => removeOne(parts, id, keep),
    release: async (used) => {
      const free = [...removed.keys()].filter((id) => !used(id));
      for (const id of free) {
        store.images.remove(id);
        removed.delete(id);
      }
      if (free.length > 0) await collect();
    },
  };
}

const rowOf = (image: StoredImage, taggedAt: string): ImageRow => ({
  id: image.id,
  chainId: image.chainIds.at(-1),
  manifest: image.manifest,
  taggedAt,
  parent: image.parent,
});

function pointTag({ store, catalogue }: Parts, reference: ImageReference, id: string): string | undefined {
  const { name, tag = 'latest' } = reference;
  const at = new Date().toISOString();
  const before = store.images.setTag(name, tag, id, at);
  catalogue.point({ name, tag }, id);
  const image = catalogue.stored(id);
  if (image !== undefined) image.taggedAt = at;
  return before;
}

function pointDigest({ store, catalogue }: Parts, { name, digest = '' }: ImageReference, id: string): void {
  store.images.addDigest(name, digest, id);
  catalogue.point({ name, digest }, id);
}

function addOne(parts: Parts, { image, tags, digests = [], blobs = [] }: NewImage): (string | undefined)[] {
  const { store, catalogue, removed } = parts;
  const before = catalogue.stored(image.id);
  store.images.insert(rowOf(image, before?.taggedAt ?? image.taggedAt), blobs);
  if (before === undefined) catalogue.add(image);
  else before.manifest = image.manifest ?? before.manifest;
  removed.delete(image.id);
  for (const reference of digests) pointDigest(parts, reference, image.id);
  return tags.map((reference) => pointTag(parts, reference, image.id));
}

/** After a commit that failed: memory is what the rows say. */
function undo({ store, catalogue, removed }: Parts, { image, tags, digests = [] }: NewImage): void {
  const row = store.images.find(image.id);
  if (row?.taggedAt === REMOVED) removed.set(image.id, image);
  if (row === undefined || row.taggedAt === REMOVED) catalogue.drop(image.id);
  for (const reference of tags) {
    const id = store.images.findTag(reference.name, reference.tag ?? 'latest');
    if (id === undefined) catalogue.unpoint(reference);
    else catalogue.point(reference, id);
  }
  for (const { name, digest = '' } of digests) {
    const id = store.images.findDigest(name, digest);
    if (id === undefined) catalogue.unpoint({ name, digest });
    else catalogue.point({ name, digest }, id);
  }
}

function removeOne({ store, catalogue, removed }: Parts, id: string, keep: boolean): string[] {
  const image = catalogue.stored(id);
  if (image === undefined) return [];
  store.db.transaction(() => {
    store.images.remove(id);
    if (keep) store.images.insert(rowOf(image, REMOVED));
  });
  catalogue.drop(id);
  if (keep) removed.set(id, image);
  const needed = new Set([...catalogue.all(), ...removed.values()].flatMap((other) => other.chainIds));
  return image.chainIds.filter((chainId) => !needed.has(chainId)).toReversed();
}

async function collectGarbage({ store, log }: Parts): Promise<void> {
  try {
    await store.collect();
  } catch (error) {
    log.error('what no image needs any more could not be freed; the next start will', { error });
  }
}

async function readStored(store: Store, row: ImageRow): Promise<StoredImage> {
  const bytes = await store.content.readAll(row.id, JSON_LIMIT);
  const config = v.parse(ImageConfigSchema, JSON.parse(bytes.toString('utf8')));
  const { id, chainId, manifest, taggedAt, parent } = row;
  const size = chainId === undefined ? 0 : store.layers.chainSize(chainId);
  return { id, config, chainIds: chainIdsOf(config.rootfs.diff_ids), manifest, size, taggedAt, parent };
}
