import { join } from 'node:path';
import { hexOf } from '../util/digest.ts';
import type { BlobRows } from './blob-rows.ts';
import type { Db } from './db.ts';
import type { ImageRows } from './image-rows.ts';
import type { LayerRows } from './layer-rows.ts';
import type { Making } from './making.ts';
import type { PackedLayers } from './packed-layers.ts';
import type { StoreDirs } from './store-dirs.ts';
import type { Trash } from './trash.ts';

/** What a collection took away. */
export interface Collected {
  /** Chain ids. */
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  /** Bytes of layers and blobs together. */
  readonly bytes: number;
}

export interface CollectParts {
  readonly db: Db;
  readonly dirs: StoreDirs;
  readonly blobRows: BlobRows;
  readonly layerRows: LayerRows;
  readonly images: ImageRows;
  readonly making: Making;
  readonly packed: PackedLayers;
  readonly trash: Trash;
}

/**
 * Marks what images, open leases and `keep` need, and removes the other rows, then their files. All decisions and
 * renames happen in one tick, so that nothing can begin to use what goes; only the deleting takes its time.
 */
export function collect(parts: CollectParts, keep: Iterable<string>): Collected {
  const { db, dirs, blobRows, layerRows, trash } = parts;
  const needed = mark(parts, keep);
  const layers = layerRows.all().filter(({ chainId }) => !needed.has(chainId));
  const blobs = blobRows.all().filter(({ digest }) => !needed.has(digest));
  if (layers.length + blobs.length === 0) return { layers: [], blobs: [], bytes: 0 };
  db.transaction(() => {
    db.sql.exec('PRAGMA defer_foreign_keys = ON');
    for (const { chainId } of layers) layerRows.remove(chainId);
    for (const { digest } of blobs) blobRows.remove(digest);
  });
  for (const { chainId, link } of layers) {
    trash.discard(join(dirs.links, link));
    trash.discard(join(dirs.layers, hexOf(chainId)));
  }
  for (const { digest } of blobs) trash.discard(join(dirs.content, hexOf(digest)));
  return {
    layers: layers.map(({ chainId }) => chainId),
    blobs: blobs.map(({ digest }) => digest),
    bytes: [...layers, ...blobs].reduce((bytes, { size }) => bytes + size, 0),
  };
}

/** Digests and chain ids that are needed. A layer needs the one below and the archive it came from. */
function mark({ db, layerRows, images, making, packed }: CollectParts, keep: Iterable<string>): Set<string> {
  const packedBlobs = packed.all();
  const layers = new Map(layerRows.all().map((layer) => [layer.chainId, layer]));
  const needed = new Set<string>();
  const need = (id: string | undefined): void => {
    if (id === undefined) return;
    needed.add(id);
    for (let layer = layers.get(id); layer !== undefined; layer = layers.get(layer.parent ?? '')) {
      needed.add(layer.chainId).add(layer.blob);
      const blob = packedBlobs.get(layer.diffId);
      if (blob !== undefined) needed.add(blob);
    }
  };
  for (const { id, chainId, manifest } of images.all()) for (const one of [id, chainId, manifest]) need(one);
  const named =
    'SELECT blob FROM image_blobs UNION SELECT idx FROM index_images UNION SELECT manifest FROM index_images';
  for (const row of db.sql.prepare(named).all()) need(String(row['blob']));
  for (const held of making.held.values()) for (const id of held) need(id);
  for (const id of keep) need(id);
  // Layers in the making stand on layers that have rows, and on blobs.
  for (const id of making.layers.keys()) need(id);
  return needed;
}
