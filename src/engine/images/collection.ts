import * as v from 'valibot';
import { ImageConfigSchema } from '../../spec/image.ts';
import { JSON_LIMIT, mediaTypes } from '../../spec/manifest.ts';
import type { ImageReference } from '../../spec/reference.ts';
import type { Blob } from '../../store/content.ts';
import type { ImageRow } from '../../store/image-rows.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { chainIdsOf } from '../../util/digest.ts';
import type { Log } from '../../util/log.ts';
import { type Catalogue, newCatalogue, type StoredImage } from './catalogue.ts';
import { type HeldIndex, heldTree } from './held-index.ts';

/** `tagged_at` of an image that was removed by force while a container still stands on its layers. */
const REMOVED = 'removed';

export interface NewImage {
  readonly image: StoredImage;
  readonly tags: readonly ImageReference[];
  /** Its manifest was made here: one that is held already stays, as that is what registries know it by. */
  readonly manifestMade?: boolean;
  /** Names by the digests it came with from a registry. */
  readonly digests?: readonly ImageReference[];
  /** Blobs it needs besides its config, manifest and layers. */
  readonly blobs?: readonly string[];
  /** The index that its names are given for. */
  readonly index?: IndexPlace;
}

/** Where an image stands in an index. */
export interface IndexPlace {
  readonly index: Omit<HeldIndex, 'images'>;
  /** Digest of the image's manifest there. */
  readonly manifest: string;
}

/** The rows and their picture in memory, changed together. */
export interface Collection {
  readonly catalogue: Catalogue;
  readonly store: Store;
  /** An image for what was made of it: also one that was removed by force. */
  readonly stored: (id: string) => StoredImage | undefined;
  /** Adds images and moves tags to them, all or nothing; gives the ids that lost a tag, by position. Durable on return. */
  readonly add: (lease: Lease, images: readonly NewImage[]) => Promise<(string | undefined)[][]>;
  /** Moves a tag; the image is there. @param index digest of the index it is given for. */
  readonly setTag: (reference: ImageReference, id: string, index?: string) => void;
  /** Names an image by a digest that a registry has it under. */
  readonly addDigest: (reference: ImageReference, id: string) => void;
  readonly removeReference: (reference: ImageReference) => void;
  /** Takes an image out of an index, and nothing else. */
  readonly leaveIndex: (index: string, id: string) => void;
  /** Removes the image and its names. With `keep` its layers stay until `release`. Gives the chain ids no image needs now, top first. */
  readonly remove: (id: string, keep: boolean) => string[];
  /** Lets go of the removed images that `used` does not hold any more. */
  readonly release: (used: (id: string) => boolean) => Promise<void>;
  /** Reads an image that could not be read before; false when it still cannot be. */
  readonly revive: (id: string) => Promise<boolean>;
  /** Frees the disk of what is not needed any more. */
  readonly collect: () => Promise<void>;
}

/** The images of a store, read into memory. */
export async function openCollection(store: Store, log: Log): Promise<Collection> {
  const catalogue = newCatalogue();
  const removed = new Map<string, StoredImage>();
  for (const row of store.images.all()) {
    const image = await readOrTell(store, row, log);
    if (image === undefined) continue;
    if (row.taggedAt === REMOVED) removed.set(row.id, image);
    else catalogue.add(image);
  }
  for (const { name, tag, image, index } of store.images.allTags()) catalogue.point({ name, tag }, image, index);
  for (const { name, digest, image } of store.images.allDigests()) catalogue.point({ name, digest }, image);
  const parts = { store, catalogue, removed, log };
  await readIndexes(parts);
  // A kill may have come between the last name of an index and its rows.
  dropUnnamed(parts);
  return newCollection(parts);
}

/** What cannot be read is damage from outside; a check tells more, and may repair it. */
async function readOrTell(store: Store, row: ImageRow, log: Log): Promise<StoredImage | undefined> {
  try {
    return await readStored(store, row);
  } catch (error) {
    log.error('an image cannot be read', { image: row.id, error });
    return undefined;
  }
}

async function readIndexes({ store, catalogue, log }: Parts): Promise<void> {
  for (const [digest, rows] of Map.groupBy(store.indexes.all(), ({ index }) => index)) {
    const blob = store.content.find(digest);
    if (blob === undefined) continue;
    const images = new Map(rows.map(({ manifest, image }) => [manifest, image]));
    const mediaType = blob.mediaType === '' ? mediaTypes.ociIndex : blob.mediaType;
    try {
      const { entries } = await heldTree(store.content, blob);
      catalogue.hold({ ...blob, mediaType, images, entries });
    } catch (error) {
      log.error('an index cannot be read', { index: digest, error });
    }
  }
}

/** An index stays as long as a name leads to it; its images then stand for themselves. */
function dropUnnamed({ store, catalogue }: Parts): void {
  const unnamed = catalogue.unnamed();
  if (unnamed.length === 0) return;
  store.db.transaction(() => {
    for (const digest of unnamed) store.indexes.remove(digest);
  });
  for (const digest of unnamed) catalogue.letGo(digest);
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
        const moved = await lease.commit(() => images.map((image) => addOne(parts, image)));
        dropUnnamed(parts);
        return moved;
      } catch (error) {
        for (const image of images) undo(parts, image);
        throw error;
      }
    },
    setTag: (reference, id, index) => {
      store.db.transaction(() => pointTag(parts, reference, id, index));
      dropUnnamed(parts);
    },
    addDigest: (reference, id) => pointDigest(parts, reference, id),
    removeReference: (reference) => {
      const { name, tag = 'latest', digest } = reference;
      if (digest === undefined) store.images.removeTag(name, tag);
      else store.images.removeDigest(name, digest);
      catalogue.unpoint(reference);
      dropUnnamed(parts);
    },
    leaveIndex: (index, id) => {
      store.indexes.removeImage(index, id);
      catalogue.leave(index, id);
    },
    remove: (id, keep) => {
      const layers = removeOne(parts, id, keep);
      dropUnnamed(parts);
      return layers;
    },
    revive: async (id) => {
      const row = store.images.find(id);
      const image = row === undefined ? undefined : await readOrTell(store, row, parts.log);
      if (image?.chainIds.every((chainId) => store.layers.find(chainId) !== undefined) !== true) return false;
      keepRead(parts, id, image);
      return true;
    },
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
  manifest: image.manifest?.digest,
  taggedAt,
  parent: image.parent,
});

/** What was read of a row; while that went on it may have been removed, or added. */
function keepRead({ store, catalogue, removed }: Parts, id: string, image: StoredImage): void {
  const row = store.images.find(id);
  if (row?.taggedAt === REMOVED) removed.set(id, image);
  else if (row !== undefined && catalogue.stored(id) === undefined) catalogue.add(image);
}

function pointTag(
  { store, catalogue }: Parts,
  reference: ImageReference,
  id: string,
  index: string | undefined,
): string | undefined {
  const { name, tag = 'latest' } = reference;
  const at = new Date().toISOString();
  const before = store.images.setTag({ name, tag, image: id, index }, at);
  catalogue.point({ name, tag }, id, index);
  const image = catalogue.stored(id);
  if (image !== undefined) image.taggedAt = at;
  return before;
}

function pointDigest({ store, catalogue }: Parts, { name, digest = '' }: ImageReference, id: string): void {
  store.images.addDigest(name, digest, id);
  catalogue.point({ name, digest }, id);
}

/** The manifest that the image has from now on. */
function manifestFor({ store: { images, content } }: Parts, { image, manifestMade }: NewImage): Blob | undefined {
  const held = content.find(images.find(image.id)?.manifest ?? '');
  const stays = manifestMade === true && held !== undefined && content.intact(held.digest);
  return stays ? held : (image.manifest ?? held);
}

function addOne(parts: Parts, added: NewImage): (string | undefined)[] {
  const { tags, digests = [], blobs = [], index } = added;
  const { store, catalogue, removed } = parts;
  const image = { ...added.image, manifest: manifestFor(parts, added) };
  const before = catalogue.stored(image.id);
  store.images.insert(rowOf(image, before?.taggedAt ?? image.taggedAt), blobs);
  if (before === undefined) catalogue.add(image);
  else before.manifest = image.manifest;
  removed.delete(image.id);
  if (index !== undefined) placeIn(parts, index, image.id);
  for (const reference of digests) pointDigest(parts, reference, image.id);
  return tags.map((reference) => pointTag(parts, reference, image.id, index?.index.digest));
}

/** The image stands in the index, and so do others that are here already. */
function placeIn({ store, catalogue }: Parts, { index, manifest }: IndexPlace, id: string): void {
  const here = index.entries.flatMap(({ digest }): [string, string][] => {
    const image = catalogue.withManifest(digest);
    return image === undefined ? [] : [[digest, image]];
  });
  const images = new Map([...here, [manifest, id]]);
  for (const [one, image] of images) store.indexes.add({ index: index.digest, manifest: one, image });
  catalogue.hold({ ...index, images });
}

/** After a commit that failed: memory is what the rows say. */
function undo(parts: Parts, { image, tags, digests = [], index }: NewImage): void {
  const { store, catalogue, removed } = parts;
  if (index !== undefined) undoIndex(parts, index.index);
  const row = store.images.find(image.id);
  if (row?.taggedAt === REMOVED) removed.set(image.id, image);
  if (row === undefined || row.taggedAt === REMOVED) catalogue.drop(image.id);
  for (const reference of tags) {
    const before = store.images.findTag(reference.name, reference.tag ?? 'latest');
    if (before === undefined) catalogue.unpoint(reference);
    else catalogue.point(reference, before.image, before.index);
  }
  for (const { name, digest = '' } of digests) {
    const id = store.images.findDigest(name, digest);
    if (id === undefined) catalogue.unpoint({ name, digest });
    else catalogue.point({ name, digest }, id);
  }
}

function undoIndex({ store, catalogue }: Parts, index: IndexPlace['index']): void {
  const rows = store.indexes.all().filter((row) => row.index === index.digest);
  catalogue.letGo(index.digest);
  if (rows.length === 0) return;
  catalogue.hold({ ...index, images: new Map(rows.map(({ manifest, image }) => [manifest, image])) });
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
  const chainIds = chainIdsOf(config.rootfs.diff_ids);
  return { id, config, chainIds, manifest: store.content.find(manifest ?? ''), size, taggedAt, parent };
}
