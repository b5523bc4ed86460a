import { ImageConfigSchema, type Platform } from '../../spec/image.ts';
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
import { type ArchivedImage, checkedImage, otherSystem } from './archived-image.ts';
import { isForeign } from './content-tree.ts';
import { parseIndex, readIndexTree } from './index-tree.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';
import { choosePlatform, platformOf } from './platform-choice.ts';
import type { Spool } from './spool.ts';

// An OCI image layout as a tar archive. Source: OCI image-spec, `image-layout.md`.

const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** So many entries are read of all indexes of an archive together. */
const ENTRIES_LIMIT = 10_000;

/** A layout that is being read. */
interface Reading {
  readonly spool: Spool;
  readonly whole: boolean;
  /** Entries of indexes that may still come. */
  left: number;
}

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
  const reading: Reading = { spool, whole, left: ENTRIES_LIMIT };
  const entries: LayoutEntry[] = [];
  for (const same of Map.groupBy(manifests, ({ digest }) => digest).values()) {
    const [descriptor] = same;
    if (descriptor === undefined || (!whole && !spool.has(blobPath(descriptor.digest)))) continue;
    const tags = same.flatMap(nameOf);
    if (isIndexType(descriptor.mediaType)) entries.push(await indexImages(reading, descriptor, tags));
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

type BlobDescriptor = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/** The bytes behind a descriptor, checked against it. */
async function blobBytes(spool: Spool, descriptor: BlobDescriptor): Promise<Buffer> {
  checkBlob(spool, descriptor);
  return await spool.bytes(blobPath(descriptor.digest));
}

function checkBlob(spool: Spool, descriptor: BlobDescriptor): void {
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

/** The images of an index that are for this system and whole in the archive. @throws `invalid` when there is none. */
async function indexImages(reading: Reading, top: Descriptor, tags: ImageReference[]): Promise<ArchivedImage[]> {
  const { spool, whole } = reading;
  const blobs = new Map<string, string>();
  const leaves = await leavesOf(reading, top, blobs);
  const index = { digest: top.digest, mediaType: top.mediaType, blobs };
  const images: ArchivedImage[] = [];
  let other: string | undefined;
  for (const leaf of leaves) {
    const { manifest } = await readManifest(spool, leaf);
    const named = [manifest.config, ...manifest.layers];
    const here = named.filter(({ digest }) => spool.has(blobPath(digest)));
    if (!named.every((one) => here.includes(one) || isForeign(one.mediaType))) continue;
    const system = isImage(leaf, manifest) ? await systemOf(spool, manifest) : undefined;
    if (system === 'linux') {
      if (here.length < named.length) continue;
      images.push({ ...(await readImage(spool, leaf, images.length === 0 ? tags : [])), index });
      continue;
    }
    other ??= system;
    for (const one of [...here, leaf]) {
      checkBlob(spool, one);
      blobs.set(one.digest, one.mediaType);
    }
  }
  if (images.length > 0 || !whole) return images;
  throw other === undefined
    ? invalid(`invalid archive: no image of index ${top.digest} is whole in it`)
    : otherSystem(other);
}

/** The operating system that an image says it is for. */
async function systemOf(spool: Spool, { config }: Manifest): Promise<string> {
  const { os } = parseJson(await blobBytes(spool, config), ImageConfigSchema, 'archive: image config');
  return os === '' ? 'linux' : os;
}

/** The manifests of an index and of those in it, as far as they are in the archive, each once; the indexes go into `blobs`. */
async function leavesOf(reading: Reading, top: Descriptor, blobs: Map<string, string>): Promise<Descriptor[]> {
  const { spool } = reading;
  const has = (digest: string): boolean => spool.has(blobPath(digest));
  const source = {
    has,
    read: (index: BlobDescriptor) => blobBytes(spool, index),
    nameOf: (digest: string) => `archive: ${digest}`,
  };
  const { indexes, entries } = await readIndexTree(source, top);
  reading.left -= entries.length;
  if (reading.left < 0) throw invalid('invalid archive: its indexes name too many manifests');
  for (const { digest, mediaType } of indexes) blobs.set(digest, mediaType);
  const leaves = new Map<string, Descriptor>();
  for (const entry of entries) {
    const isNew = !leaves.has(entry.digest) && isManifestType(entry.mediaType) && has(entry.digest);
    if (isNew) leaves.set(entry.digest, entry);
  }
  return [...leaves.values()];
}

const IMAGE_CONFIGS: ReadonlySet<string> = new Set(['', mediaTypes.ociConfig, mediaTypes.dockerConfig]);

/** Attestations say that they are for no platform; other artifacts have a config of their own kind. */
const isImage = ({ platform }: Descriptor, { config }: Manifest): boolean =>
  platform?.os !== 'unknown' && IMAGE_CONFIGS.has(config.mediaType);
