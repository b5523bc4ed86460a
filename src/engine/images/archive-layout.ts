import type { Platform } from '../../spec/image.ts';
import {
  type Descriptor,
  IndexSchema,
  isIndexType,
  isManifestType,
  type Manifest,
  ManifestSchema,
  mediaTypes,
} from '../../spec/manifest.ts';
import { type ImageReference, parseReference } from '../../spec/reference.ts';
import { invalid, unsupported } from '../../util/errors.ts';
import { type ArchivedImage, checkedImage } from './archived-image.ts';
import { parseIndex } from './held-index.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';
import { choosePlatform, platformOf } from './platform-choice.ts';
import type { Spool } from './spool.ts';

// An OCI image layout as a tar archive. Source: OCI image-spec, `image-layout.md`.

const NESTING_LIMIT = 4;
const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The images that one entry of `index.json` stands for: one, or those of an index that are in the archive. */
export type LayoutEntry = readonly ArchivedImage[];

/**
 * The entries of the archive's `index.json`, the same one under several names once.
 *
 * @param whole every entry must be in the archive, and be one of images.
 * @throws `invalid`, `unsupported`.
 */
export async function layoutEntries(spool: Spool, whole: boolean): Promise<LayoutEntry[]> {
  parseIndex(await spool.bytes('index.json'), 'archive: index.json');
  const { manifests } = await spool.json('index.json', IndexSchema);
  const entries: LayoutEntry[] = [];
  for (const same of Map.groupBy(manifests, ({ digest }) => digest).values()) {
    const [descriptor] = same;
    if (descriptor === undefined || (!whole && !spool.has(blobPath(descriptor.digest)))) continue;
    const tags = same.flatMap(nameOf);
    if (isIndexType(descriptor.mediaType)) entries.push(await indexImages(spool, descriptor, tags, whole));
    else if (isManifestType(descriptor.mediaType)) entries.push([await readImage(spool, descriptor, tags)]);
    else if (whole) throw unsupported(`cannot load a ${descriptor.mediaType || 'blob without media type'}`);
  }
  return entries;
}

/** The image of an entry that its names are for: the one for a platform, else the first. The others follow without names. */
export function ledBy(entry: LayoutEntry, platform: Platform): LayoutEntry {
  const candidates = entry.map((image) => ({ image, platform: platformOf(image.config) }));
  const first = choosePlatform(candidates, platform)?.image ?? entry[0];
  const tags = entry.flatMap((image) => image.tags);
  return entry
    .toSorted((a, b) => Number(b === first) - Number(a === first))
    .map((image) => ({ ...image, tags: image === first ? tags : [] }));
}

/** Full names only: a bare `ref.name` such as `latest` names no repository. */
function nameOf({ annotations }: Descriptor): ImageReference[] {
  const name = annotations[CONTAINERD_NAME] ?? annotations[REF_NAME] ?? '';
  if (!/[:/]/.test(name)) return [];
  const reference = parseReference(name);
  return reference.digest === undefined ? [{ name: reference.name, tag: reference.tag ?? 'latest' }] : [];
}

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/** The bytes behind a descriptor, checked against it. */
async function blobBytes(spool: Spool, descriptor: Descriptor): Promise<Buffer> {
  checkBlob(spool, descriptor);
  return await spool.bytes(blobPath(descriptor.digest));
}

function checkBlob(spool: Spool, descriptor: Descriptor): void {
  const { digest, size } = spool.find(blobPath(descriptor.digest));
  if (digest !== descriptor.digest) throw invalid(`invalid archive: blob ${descriptor.digest} has digest ${digest}`);
  if (size !== descriptor.size)
    throw invalid(`invalid archive: blob ${digest} has ${size} bytes, not ${descriptor.size}`);
}

async function readManifest(spool: Spool, descriptor: Descriptor): Promise<{ manifest: Manifest; bytes: Buffer }> {
  const bytes = await blobBytes(spool, descriptor);
  refuseAmbiguous(bytes, `archive: ${descriptor.digest}`);
  const manifest = parseJson(bytes, ManifestSchema, `archive: ${descriptor.digest}`);
  if (manifest.mediaType !== '' && manifest.mediaType !== descriptor.mediaType) {
    throw invalid(`invalid archive: ${descriptor.digest} is a ${manifest.mediaType}, not a ${descriptor.mediaType}`);
  }
  return { manifest, bytes };
}

async function readImage(spool: Spool, descriptor: Descriptor, tags: ImageReference[]): Promise<ArchivedImage> {
  const { manifest, bytes } = await readManifest(spool, descriptor);
  for (const layer of manifest.layers) checkBlob(spool, layer);
  const layers = manifest.layers.map(({ digest }) => blobPath(digest));
  return {
    ...checkedImage(await blobBytes(spool, manifest.config), layers),
    tags,
    manifest: { bytes, mediaType: descriptor.mediaType },
    index: undefined,
  };
}

/** The images of an index whose blobs are all in the archive. @throws `invalid` when there is none. */
async function indexImages(
  spool: Spool,
  top: Descriptor,
  tags: ImageReference[],
  whole: boolean,
): Promise<ArchivedImage[]> {
  const blobs = new Map<string, string>();
  const leaves = await leavesOf(spool, top, blobs, 1);
  const index = { digest: top.digest, mediaType: top.mediaType, blobs };
  const images: ArchivedImage[] = [];
  for (const leaf of leaves) {
    const { manifest } = await readManifest(spool, leaf);
    const named = [manifest.config, ...manifest.layers];
    if (!named.every(({ digest }) => spool.has(blobPath(digest)))) continue;
    if (isImage(leaf, manifest)) {
      images.push({ ...(await readImage(spool, leaf, images.length === 0 ? tags : [])), index });
      continue;
    }
    for (const one of [...named, leaf]) {
      checkBlob(spool, one);
      blobs.set(one.digest, one.mediaType);
    }
  }
  if (images.length === 0 && whole) throw invalid(`invalid archive: no image of index ${top.digest} is whole in it`);
  return images;
}

/** The manifests of an index and of those in it, as far as they are in the archive; the indexes go into `blobs`. */
async function leavesOf(
  spool: Spool,
  descriptor: Descriptor,
  blobs: Map<string, string>,
  depth: number,
): Promise<Descriptor[]> {
  if (depth > NESTING_LIMIT) throw invalid('invalid archive: indexes are nested too deeply');
  const bytes = await blobBytes(spool, descriptor);
  blobs.set(descriptor.digest, descriptor.mediaType);
  const leaves: Descriptor[] = [];
  for (const entry of parseIndex(bytes, `archive: ${descriptor.digest}`)) {
    if (!spool.has(blobPath(entry.digest))) continue;
    if (isIndexType(entry.mediaType)) leaves.push(...(await leavesOf(spool, entry, blobs, depth + 1)));
    else if (isManifestType(entry.mediaType)) leaves.push(entry);
  }
  return leaves;
}

const IMAGE_CONFIGS: ReadonlySet<string> = new Set(['', mediaTypes.ociConfig, mediaTypes.dockerConfig]);

/** Attestations say that they are for no platform; other artifacts have a config of their own kind. */
const isImage = ({ platform }: Descriptor, { config }: Manifest): boolean =>
  platform?.os !== 'unknown' && IMAGE_CONFIGS.has(config.mediaType);
