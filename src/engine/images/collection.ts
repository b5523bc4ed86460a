import * as v from 'valibot';
import { ImageConfigSchema } from '../../spec/image.ts';
import { JSON_LIMIT } from '../../spec/manifest.ts';
import type { ImageReference } from '../../spec/reference.ts';
import type { Lease } from '../../store/lease.ts';
import type { ImageRow } from '../../store/image-rows.ts';
import type { Store } from '../../store/store.ts';
import { chainIdsOf } from '../../util/digest.ts';
import type { Log } from '../../util/log.ts';
import { type Catalogue, newCatalogue, type StoredImage } from './catalogue.ts';

/** `tagged_at` of an image that was removed by force while a container still stands on its layers. */
const REMOVED = 'removed';

export interface NewImage {
  readonly image: StoredImage;
  readonly tags: readonly ImageReference[];
}

/** The rows and their picture in memory, changed together. */
export interface Collection {
  readonly catalogue: Catalogue;
  readonly store: Store;
  /** An image for what was made of it: also one that was removed by force. */
  stored(id: string): StoredImage | undefined;
  /** Adds images and moves tags to them, all or nothing; gives the ids that lost a tag, by position. Durable on return. */
  add(lease: Lease, images: readonly NewImage[]): Promise<(string | undefined)[][]>;
  /** Moves a tag; the image is there. */
  setTag(reference: ImageReference, id: string): void;
  removeReference(reference: ImageReference): void;
  /** Removes the image and its names. With `keep` its layers stay until `release`. Gives the chain ids no image needs now, top first. */
  remove(id: string, keep: boolean): string[];
  /** Nothing is made of a removed image any more. */
  release(id: string): Promise<void>;
  /** Frees the disk of what is not needed any more. */
  collect(): Promise<void>;
}

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

  const rowOf = (image: StoredImage, taggedAt: string): ImageRow => ({
    id: image.id,
    chainId: image.chainIds.at(-1),
    manifest: image.manifest,
    taggedAt,
  });

  const pointTag = (reference: ImageReference, id: string): string | undefined => {
    const { name, tag = 'latest' } = reference;
    const at = new Date().toISOString();
    const before = store.images.setTag(name, tag, id, at);
    catalogue.point({ name, tag }, id);
    const image = catalogue.stored(id);
    if (image !== undefined) image.taggedAt = at;
    return before;
  };

  const addOne = ({ image, tags }: NewImage): (string | undefined)[] => {
    const before = catalogue.stored(image.id);
    store.images.insert(rowOf(image, before?.taggedAt ?? image.taggedAt));
    if (before === undefined) catalogue.add(image);
    removed.delete(image.id);
    return tags.map((reference) => pointTag(reference, image.id));
  };

  const collect = async (): Promise<void> => {
    try {
      await store.collect();
    } catch (error) {
      log.error('what no image needs any more could not be freed; the next start will', { error });
    }
  };

  /** Layers that neither an image nor a container left behind by one needs. */
  const unneeded = (image: StoredImage): string[] => {
    const others = [...catalogue.all(), ...removed.values()];
    const needed = new Set(others.flatMap((other) => other.chainIds));
    return image.chainIds.filter((id) => !needed.has(id)).toReversed();
  };

  return {
    catalogue,
    store,
    collect,
    stored: (id) => catalogue.stored(id) ?? removed.get(id),
    add: (lease, images) => lease.commit(() => images.map(addOne)),
    setTag: (reference, id) => void store.db.transaction(() => pointTag(reference, id)),
    removeReference: (reference) => {
      const { name, tag = 'latest', digest } = reference;
      if (digest === undefined) store.images.removeTag(name, tag);
      else store.images.removeDigest(name, digest);
      catalogue.unpoint(reference);
    },
    remove: (id, keep) => {
      const image = catalogue.stored(id);
      if (image === undefined) return [];
      store.db.transaction(() => {
        store.images.remove(id);
        if (keep) store.images.insert(rowOf(image, REMOVED));
      });
      catalogue.drop(id);
      if (keep) removed.set(id, image);
      return unneeded(image);
    },
    release: async (id) => {
      if (!removed.has(id)) return;
      store.images.remove(id);
      removed.delete(id);
      await collect();
    },
  };
}

async function readStored(store: Store, row: ImageRow): Promise<StoredImage> {
  const bytes = await store.content.readAll(row.id, JSON_LIMIT);
  const config = v.parse(ImageConfigSchema, JSON.parse(bytes.toString('utf8')));
  const { id, chainId, manifest, taggedAt } = row;
  const size = chainId === undefined ? 0 : store.layers.chainSize(chainId);
  return { id, config, chainIds: chainIdsOf(config.rootfs.diff_ids), manifest, size, taggedAt };
}
