import { join, resolve } from 'node:path';
import type { Log } from '../util/log.ts';
import { type BlobOrigins, openBlobOrigins } from './blob-origins.ts';
import { openBlobRows } from './blob-rows.ts';
import { openStoreCheck, type StoreCheck } from './check.ts';
import { type Collected, collect } from './collect.ts';
import { type ContainerRows, openContainerRows } from './containers.ts';
import { type Content, openContent } from './content.ts';
import { type Db, openDb } from './db.ts';
import { Fetches } from './fetches.ts';
import { type ImageRows, openImageRows } from './image-rows.ts';
import { type IndexRows, openIndexRows } from './index-rows.ts';
import { LayerBuilder } from './layer-builder.ts';
import { openLayerRows } from './layer-rows.ts';
import { type Layers, openLayers } from './layers.ts';
import { type Lease, openLease } from './lease.ts';
import { emptyMaking } from './making.ts';
import { openPackedLayers, type PackedLayers } from './packed-layers.ts';
import { makeStoreDirs, type StoreDirs } from './store-dirs.ts';
import { sweep } from './sweep.ts';
import { Trash } from './trash.ts';
import { openVolumeRows, type VolumeRows } from './volumes.ts';

/** Everything the engine keeps on disk. One process at a time. */
export interface Store extends AsyncDisposable {
  readonly db: Db;
  readonly dirs: StoreDirs;
  readonly content: Content;
  readonly layers: Layers;
  readonly images: ImageRows;
  readonly indexes: IndexRows;
  readonly packed: PackedLayers;
  readonly origins: BlobOrigins;
  readonly containers: ContainerRows;
  readonly volumes: VolumeRows;
  readonly check: StoreCheck;
  lease(): Lease;
  /** Removes the layers and blobs that no image, no lease and nothing in `keep` (digests, chain ids) needs. */
  collect(keep?: Iterable<string>): Promise<Collected>;
  /** Removes what has come of blobs whose fetch broke off, which the next one would go on from. @returns their bytes. */
  discardParts(): number;
}

/**
 * Opens the data root, makes what is missing, and removes what a killed engine left: files without a row, and layers and
 * blobs that no image needs.
 *
 * @throws `conflict` when another engine uses it.
 */
export async function openStore({ dataRoot, log }: { dataRoot: string; log: Log }): Promise<Store> {
  const dirs = makeStoreDirs(resolve(dataRoot));
  const db = openDb(join(dirs.root, 'meta.db'));
  const trash = new Trash(dirs.tmp, log);
  const [blobRows, layerRows, images] = [openBlobRows(db), openLayerRows(db), openImageRows(db)];
  sweep({ dirs, blobRows, layerRows, trash, log });
  const making = emptyMaking();
  const findBlob = (digest: string) => making.blobs.get(digest)?.blob ?? blobRows.find(digest);
  const content = openContent(findBlob, dirs.content);
  const builder = new LayerBuilder({ dirs, content, making, trash });
  const fetches = new Fetches({ dirs, content, making });
  const packed = openPackedLayers(db, content);
  const parts = { db, dirs, blobRows, layerRows, images, content, making, builder, fetches, packed, trash };
  // A kill may have come between the removal of an image and the collection after it.
  collect(parts, []);
  return {
    db,
    dirs,
    content,
    images,
    indexes: openIndexRows(db),
    packed,
    origins: openBlobOrigins(db),
    layers: openLayers(layerRows, content, dirs.links),
    containers: openContainerRows(db),
    volumes: openVolumeRows(db),
    check: openStoreCheck(parts),
    lease: () => openLease(parts),
    collect: async (keep = []) => {
      const collected = collect(parts, keep);
      await trash.settled();
      return collected;
    },
    discardParts: () => fetches.discardParts(),
    [Symbol.asyncDispose]: async () => {
      await trash.settled();
      db.close();
    },
  };
}
