import { type ImageConfig, ImageConfigSchema, type Platform } from '../../spec/image.ts';
import {
  ArchiveManifestSchema,
  type Descriptor,
  IndexSchema,
  type Manifest,
  ManifestSchema,
  mediaTypes,
} from '../../spec/manifest.ts';
import { type ImageReference, parseReference } from '../../spec/reference.ts';
import { invalid, unsupported } from '../../util/errors.ts';
import { confined } from './archive-members.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';
import type { Spool } from './spool.ts';

/** An image found in an archive; its layers are members of the spool. */
export interface ArchivedImage {
  readonly config: ImageConfig;
  /** The config as it came: its digest is the image's id. */
  readonly configBytes: Buffer;
  /** Names of the members, lowest layer first, one for each diff id. */
  readonly layers: readonly string[];
  readonly tags: readonly ImageReference[];
  /** The manifest as it came. */
  readonly manifestBytes: Buffer | undefined;
}

const NESTING_LIMIT = 4;
const MANIFEST_LIMIT = 1000;
const CONTAINERD_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

/** All images of an archive: docker-archive when it has a `manifest.json`, else an OCI layout. @throws `invalid`. */
export async function archivedImages(spool: Spool, host: Platform): Promise<ArchivedImage[]> {
  if (spool.has('manifest.json')) return await dockerImages(spool);
  if (spool.has('index.json')) return await ociImages(spool, host);
  if (spool.has('repositories')) throw unsupported('archives written by Docker before 1.10 are not supported');
  throw invalid('invalid archive: it has neither manifest.json nor index.json');
}

async function dockerImages(spool: Spool): Promise<ArchivedImage[]> {
  const entries = await spool.json('manifest.json', ArchiveManifestSchema);
  const manifests = await manifestsByConfig(spool);
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    const configBytes = await spool.bytes(confined(entry.Config));
    const layers = entry.Layers.map((path) => confined(path));
    const found = manifests.get(spool.find(confined(entry.Config)).digest);
    // The archive's OCI half is kept only when it tells of the very same bytes.
    const same =
      found?.manifest.layers.map(({ digest }) => digest).join() === layers.map((l) => spool.find(l).digest).join();
    images.push({
      ...checked(configBytes, layers),
      tags: entry.RepoTags.map(tagOf),
      manifestBytes: same ? found?.bytes : undefined,
    });
  }
  return images;
}

function tagOf(text: string): ImageReference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw invalid(`invalid tag ${JSON.stringify(text)}`);
  return { name: reference.name, tag: reference.tag };
}

function checked(
  configBytes: Buffer,
  layers: readonly string[],
): Pick<ArchivedImage, 'config' | 'configBytes' | 'layers'> {
  const config = parseJson(configBytes, ImageConfigSchema, 'archive: image config');
  const { length } = config.rootfs.diff_ids;
  if (length !== layers.length) {
    throw invalid(`invalid manifest, layers length mismatch: expected ${length}, got ${layers.length}`);
  }
  if (config.os !== '' && config.os !== 'linux') throw invalid(`cannot load ${config.os} image on linux`);
  return { config, configBytes, layers };
}

interface FoundManifest {
  manifest: Manifest;
  bytes: Buffer;
}

/** The manifests of a docker-archive that is an OCI layout as well, by config digest. */
async function manifestsByConfig(spool: Spool): Promise<Map<string, FoundManifest>> {
  const found = new Map<string, FoundManifest>();
  if (!spool.has('index.json')) return found;
  const index = await spool.json('index.json', IndexSchema);
  for (const descriptor of index.manifests.slice(0, MANIFEST_LIMIT)) {
    if (!isManifest(descriptor) || !spool.has(blobPath(descriptor.digest))) continue;
    const read = await readManifest(spool, descriptor);
    found.set(read.manifest.config.digest, read);
  }
  return found;
}

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
const isIndex = ({ mediaType }: Descriptor): boolean =>
  mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
const isManifest = ({ mediaType }: Descriptor): boolean =>
  mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;

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

async function readManifest(spool: Spool, descriptor: Descriptor): Promise<FoundManifest> {
  const bytes = await blobBytes(spool, descriptor);
  refuseAmbiguous(bytes, `archive: ${descriptor.digest}`);
  const manifest = parseJson(bytes, ManifestSchema, `archive: ${descriptor.digest}`);
  if (manifest.mediaType !== '' && manifest.mediaType !== descriptor.mediaType) {
    throw invalid(`invalid archive: ${descriptor.digest} is a ${manifest.mediaType}, not a ${descriptor.mediaType}`);
  }
  return { manifest, bytes };
}

async function ociImages(spool: Spool, host: Platform): Promise<ArchivedImage[]> {
  refuseAmbiguous(await spool.bytes('index.json'), 'archive: index.json');
  const index = await spool.json('index.json', IndexSchema);
  if (index.manifests.length > MANIFEST_LIMIT) throw invalid('invalid archive: too many manifests');
  const images = new Map<string, ArchivedImage>();
  for (const descriptor of index.manifests) {
    const chosen = isIndex(descriptor) ? await choose(spool, descriptor, host, 1) : descriptor;
    if (!isManifest(chosen)) throw unsupported(`cannot load a ${chosen.mediaType || 'blob without media type'}`);
    const image = await ociImage(spool, chosen, nameOf(descriptor));
    const before = images.get(chosen.digest)?.tags ?? [];
    images.set(chosen.digest, { ...image, tags: [...before, ...image.tags] });
  }
  return [...images.values()];
}

/** Full names only: a bare `ref.name` such as `latest` names no repository. */
function nameOf({ annotations }: Descriptor): ImageReference[] {
  const name = annotations[CONTAINERD_NAME] ?? annotations[REF_NAME] ?? '';
  if (!/[:/]/.test(name)) return [];
  const reference = parseReference(name);
  return reference.digest === undefined ? [{ name: reference.name, tag: reference.tag ?? 'latest' }] : [];
}

/** The image of an index that runs here. @throws `invalid` when there is none. */
async function choose(spool: Spool, descriptor: Descriptor, host: Platform, depth: number): Promise<Descriptor> {
  if (depth > NESTING_LIMIT) throw invalid('invalid archive: indexes are nested too deeply');
  const bytes = await blobBytes(spool, descriptor);
  refuseAmbiguous(bytes, `archive: ${descriptor.digest}`);
  const { manifests } = parseJson(bytes, IndexSchema, `archive: ${descriptor.digest}`);
  if (manifests.length > MANIFEST_LIMIT) throw invalid('invalid archive: too many manifests');
  const fits = (entry: Descriptor): boolean =>
    spool.has(blobPath(entry.digest)) &&
    (entry.platform === null || (entry.platform.os === host.os && entry.platform.architecture === host.architecture));
  const found =
    manifests.find((entry) => isManifest(entry) && fits(entry)) ?? manifests.find((e) => isIndex(e) && fits(e));
  if (found === undefined) throw invalid(`no matching manifest for ${host.os}/${host.architecture} in the archive`);
  return isIndex(found) ? await choose(spool, found, host, depth + 1) : found;
}

async function ociImage(spool: Spool, descriptor: Descriptor, tags: ImageReference[]): Promise<ArchivedImage> {
  const { manifest, bytes } = await readManifest(spool, descriptor);
  for (const layer of manifest.layers) checkBlob(spool, layer);
  const layers = manifest.layers.map(({ digest }) => blobPath(digest));
  return { ...checked(await blobBytes(spool, manifest.config), layers), tags, manifestBytes: bytes };
}
