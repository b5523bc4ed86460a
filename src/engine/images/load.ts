import { arch } from 'node:os';
import type { Readable } from 'node:stream';
import { mediaTypes } from '../../spec/manifest.ts';
import { familiarString } from '../../spec/reference.ts';
import type { Lease } from '../../store/lease.ts';
import { chainIdsOf, digestOf } from '../../util/digest.ts';
import type { Events, Progress } from '../engine.ts';
import { type ArchivedImage, archivedImages } from './archive-images.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import type { Collection, NewImage } from './collection.ts';
import { decompress } from './decompress.ts';
import { emitImage } from './image-event.ts';
import { type Spool, spoolArchive } from './spool.ts';

/** When no tag was ever moved to an image. */
export const NEVER_TAGGED = '0001-01-01T00:00:00Z';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** The host's architecture in the OCI's words. */
export const hostArchitecture = (): string => ARCHITECTURES[arch()] ?? arch();

/** Loads every image of an archive, all or none. Yields what `docker load` prints. @throws `invalid`, `unsupported`. */
export async function* loadArchive(
  collection: Collection,
  events: Events,
  archive: Readable,
  options: { quiet: boolean; signal: AbortSignal },
): AsyncGenerator<Progress> {
  const { store, catalogue } = collection;
  await using lease = store.lease();
  const plain = await decompress(archive, options.signal);
  const spool = await spoolArchive(plain, lease, store.content, options.signal);
  const found = await archivedImages(spool, { os: 'linux', architecture: hostArchitecture() });
  for (const image of found) for (const tag of image.tags) refuseBuiltin(tag);
  const images: NewImage[] = [];
  for (const image of found) {
    const fresh = newLayers(collection, spool, image);
    images.push({ image: await storeImage(lease, spool, image, options.signal), tags: image.tags });
    if (!options.quiet) yield* fresh;
  }
  const moved = await collection.add(lease, images);
  for (const [index, { image, tags }] of images.entries()) {
    emitImage(events, 'load', image.id, image.id, catalogue.byId(image.id));
    yield* report(image.id, tags.map(familiarString), moved[index] ?? []);
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
  lease: Lease,
  spool: Spool,
  archived: ArchivedImage,
  signal: AbortSignal,
): Promise<StoredImage> {
  const { config, configBytes, layers, manifestBytes } = archived;
  const blobs = await Promise.all(layers.map((path) => spool.blob(path)));
  const sources = blobs.map((blob, at) => ({ blob, diffId: config.rootfs.diff_ids[at] ?? '' }));
  const unpacked = await lease.unpack(sources, signal);
  await lease.put(configBytes, mediaTypes.dockerConfig);
  const manifest = manifestBytes === undefined ? undefined : await lease.put(manifestBytes, mediaTypes.ociManifest);
  return {
    id: digestOf(configBytes),
    config,
    chainIds: unpacked.map(({ chainId }) => chainId),
    manifest: manifest?.digest,
    size: unpacked.reduce((sum, { size }) => sum + size, 0),
    taggedAt: NEVER_TAGGED,
  };
}
