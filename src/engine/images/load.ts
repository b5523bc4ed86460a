import type { Readable } from 'node:stream';
import type { Platform } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { familiarString } from '../../spec/reference.ts';
import type { Lease } from '../../store/lease.ts';
import { expand } from '../../util/compression.ts';
import { chainIdsOf, digestOf } from '../../util/digest.ts';
import type { Events, Progress } from '../engine.ts';
import { archivedImages } from './archive-images.ts';
import type { ArchivedImage } from './archived-image.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import type { Collection, NewImage } from './collection.ts';
import { heldTree } from './held-index.ts';
import { emitImage } from './image-event.ts';
import { manifestOfLayers } from './layer-manifest.ts';
import { type Spool, spoolArchive } from './spool.ts';

/** When no tag was ever moved to an image. */
export const NEVER_TAGGED = '0001-01-01T00:00:00Z';

export interface LoadOptions {
  readonly quiet: boolean;
  /** Of an image for several, take but the one for this. */
  readonly platform?: Platform;
  readonly signal: AbortSignal;
}

/** Loads every image of an archive, all or none. Yields what `docker load` prints. @throws `invalid`, `not-found`, `unsupported`. */
export async function* loadArchive(
  collection: Collection,
  events: Events,
  archive: Readable,
  options: LoadOptions,
): AsyncGenerator<Progress> {
  const { store, catalogue } = collection;
  await using lease = store.lease();
  const { chunks } = await expand(archive);
  const spool = await spoolArchive(chunks, lease, store.content, options.signal);
  const found = await archivedImages(spool, options.platform);
  for (const image of found) for (const tag of image.tags) refuseBuiltin(tag);
  const images: NewImage[] = [];
  for (const image of found) {
    const fresh = newLayers(collection, spool, image);
    const stored = await storeImage(collection, lease, spool, image, options.signal);
    const place = await placeOf(collection, lease, spool, image);
    images.push({ image: stored, tags: image.tags, manifestMade: image.manifest === undefined, ...place });
    if (!options.quiet) yield* fresh;
  }
  const moved = await collection.add(lease, images);
  const companions = catalogue.allCompanions();
  for (const [index, { image, tags }] of images.entries()) {
    if (companions.has(image.id)) continue;
    emitImage(events, 'load', image.id, image.id, catalogue.byId(image.id));
    const renamed = (moved[index] ?? []).map((id) => (companions.has(id ?? '') ? undefined : id));
    yield* report(image.id, tags.map(familiarString), renamed);
  }
}

/** Lines for the layers that were not here before. */
function newLayers({ store }: Collection, spool: Spool, image: ArchivedImage): Progress[] {
  const diffIds = image.config.rootfs.diff_ids;
  return chainIdsOf(diffIds).flatMap((chainId, at) => {
    const path = image.layers[at];
    if (path === undefined || store.layers.find(chainId) !== undefined) return [];
    const { size } = spool.find(path);
    const id = diffIds[at]?.slice('sha256:'.length, 'sha256:'.length + 12) ?? '';
    return [{ status: 'Loading layer', id, progressDetail: { current: size, total: size } }];
  });
}

function* report(id: string, tags: readonly string[], moved: readonly (string | undefined)[]): Generator<Progress> {
  for (const [index, tag] of tags.entries()) {
    const before = moved[index];
    if (before !== undefined && before !== id) {
      yield { stream: `The image ${tag} already exists, renaming the old one with ID ${before} to empty string\n` };
    }
    yield { stream: `Loaded image: ${tag}\n` };
  }
  if (tags.length === 0) yield { stream: `Loaded image ID: ${id}\n` };
}

async function storeImage(
  { store }: Collection,
  lease: Lease,
  spool: Spool,
  archived: ArchivedImage,
  signal: AbortSignal,
): Promise<StoredImage> {
  const { config, configBytes, layers } = archived;
  const blobs = await Promise.all(layers.map((path) => spool.blob(path)));
  const sources = blobs.map((blob, at) => ({ blob, diffId: config.rootfs.diff_ids[at] ?? '' }));
  const unpacked = await lease.unpack(sources, signal);
  const { digest: id } = await lease.put(configBytes, mediaTypes.dockerConfig);
  const own = unpacked.map(({ blob }) => blob);
  const manifest = archived.manifest ?? {
    bytes: await manifestOfLayers(store.content, id, own),
    mediaType: mediaTypes.ociManifest,
  };
  return {
    id,
    config,
    chainIds: unpacked.map(({ chainId }) => chainId),
    manifest: await lease.put(manifest.bytes, manifest.mediaType),
    size: unpacked.reduce((sum, { size }) => sum + size, 0),
    taggedAt: NEVER_TAGGED,
  };
}

/** The image's place in an index, whose bytes are kept, and the archives of the image as the index has them. */
async function placeOf(
  { store: { content } }: Collection,
  lease: Lease,
  spool: Spool,
  { index, manifest, layers }: ArchivedImage,
): Promise<Pick<NewImage, 'index' | 'blobs'>> {
  if (index === undefined || manifest === undefined) return {};
  const { digest, mediaType } = index;
  const blobs = await Promise.all(
    [...index.blobs].map(([blob, type]) => spool.blob(`blobs/sha256/${blob.slice('sha256:'.length)}`, type)),
  );
  const archives = await Promise.all(layers.map((path) => spool.blob(path)));
  const top = { digest, mediaType, size: content.find(digest)?.size ?? 0 };
  const { entries } = await heldTree(content, top);
  return {
    blobs: [...blobs, ...archives],
    index: { index: { ...top, entries }, manifest: digestOf(manifest.bytes) },
  };
}
