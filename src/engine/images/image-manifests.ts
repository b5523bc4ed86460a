import { type Descriptor, isManifestType } from '../../spec/manifest.ts';
import type { Image, ImageManifest } from '../engine.ts';
import type { Collection } from './collection.ts';
import { treeOf } from './content-tree.ts';
import { platformOf } from './platform-choice.ts';

/** How BuildKit marks an attestation in an index (buildkit `docs/attestations/attestation-storage.md`). */
const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/** The manifests that an image's name stands for: those of its index, here or not, else its own. */
export async function manifestsOf(collection: Collection, image: Image): Promise<ImageManifest[]> {
  const { catalogue } = collection;
  const index = image.target === undefined ? undefined : catalogue.held(image.target.digest);
  if (index !== undefined) {
    const told = index.entries.map((entry) => describe(collection, entry, index.images.get(entry.digest)));
    return await Promise.all(told);
  }
  const own = collection.stored(image.id)?.manifest;
  if (own === undefined) return [];
  return [await describe(collection, { ...own, annotations: {}, platform: null }, image.id)];
}

async function describe(collection: Collection, entry: Descriptor, id: string | undefined): Promise<ImageManifest> {
  const { content } = collection.store;
  const { mediaType, digest, size, annotations } = entry;
  const image = id === undefined ? undefined : collection.stored(id);
  const platform = entry.platform ?? (image === undefined ? undefined : platformOf(image.config));
  const blob = content.find(digest);
  const known = blob === undefined || !isManifestType(mediaType) ? undefined : { ...blob, mediaType };
  const tree = known === undefined ? undefined : await treeOf(content, known);
  const bytes = tree?.blobs.reduce((sum, one) => sum + one.size, 0) ?? 0;
  const told = {
    descriptor: { mediaType, digest, size, annotations, platform: entry.platform ?? undefined },
    available: tree !== undefined && tree.missing.size === 0,
    content: bytes,
  };
  if (annotations[REFERENCE_TYPE] === 'attestation-manifest') {
    return { ...told, kind: 'attestation', of: annotations[REFERENCE_DIGEST] ?? '' };
  }
  if (platform === undefined || platform.os === 'unknown') return { ...told, kind: 'unknown' };
  return { ...told, kind: 'image', platform, image: image?.id, unpacked: image?.size ?? 0 };
}
