import { Readable } from 'node:stream';
import type { Platform } from '../../spec/image.ts';
import { JSON_LIMIT, ManifestSchema, mediaTypes } from '../../spec/manifest.ts';
import {
  familiarName,
  familiarString,
  type ImageReference,
  parseAnyReference,
  tagNameOnly,
} from '../../spec/reference.ts';
import type { Blob } from '../../store/content.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { digestOf, hexOf } from '../../util/digest.ts';
import { internal, invalid, kindOf, messageOf, notFound } from '../../util/errors.ts';
import { padding } from '../../util/tar/header.ts';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import type { Events, Image } from '../engine.ts';
import { isIdPrefix } from './catalogue.ts';
import type { Collection } from './collection.ts';
import { treeOf } from './content-tree.ts';
import { emitImage } from './image-event.ts';
import { imageFor } from './image-for.ts';
import { manifestOfLayers } from './layer-manifest.ts';
import { parseJson } from './parse-json.ts';
import { plainHeader } from './plain-header.ts';

/** An image and the names it is saved under. */
interface Wanted {
  readonly image: Image;
  readonly tags: ImageReference[];
}

/** A file of the archive: bytes made here or a stored blob. */
type Content = Buffer | Blob;

/** The archive in the making. */
interface Layout {
  readonly files: Map<string, Content>;
  /** Of `index.json`. */
  readonly manifests: object[];
  /** Of `manifest.json`. */
  readonly entries: object[];
  readonly repositories: Record<string, Record<string, string>>;
}

export interface SaveRequest {
  readonly refs: readonly string[];
  /** Of an image for several, but the one for this. */
  readonly platform?: Platform;
  readonly signal: AbortSignal;
}

/**
 * One archive that is an OCI layout and a docker-archive at once, as current Docker writes it. The same images give the
 * same bytes: members are sorted and times are the epoch. Layers go out as they came in, compressed or not. An index goes out
 * with as much of it as is here; in the docker-archive there is the image that its name leads to.
 *
 * @throws `not-found`, `invalid` before anything is streamed.
 */
export async function saveImages(collection: Collection, events: Events, request: SaveRequest): Promise<Readable> {
  const { signal } = request;
  const wanted = selectImages(collection, request);
  const lease = collection.store.lease();
  try {
    const files = await describe(collection, lease, wanted, request.platform === undefined);
    for (const { image } of wanted) emitImage(events, 'save', image.id, image.id, image);
    const stream = Readable.from(archive(collection.store, files, signal), {
      objectMode: false,
      highWaterMark: 1 << 20,
    });
    // Also when nobody ever reads it: a generator that was not begun has no end of its own.
    return stream.once('close', () => void lease[Symbol.asyncDispose]());
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** A name without a tag means all tags of the repository, as in Docker; an id none. */
function selectImages(collection: Collection, { refs, platform }: SaveRequest): Wanted[] {
  const { catalogue } = collection;
  if (refs.length === 0) throw invalid('no image was named');
  const wanted = new Map<string, Wanted>();
  const add = (ref: string, tags: ImageReference[]): void => {
    const image = exportTarget(collection, ref, platform);
    const key = `${image.id} ${image.target?.digest}`;
    const entry = wanted.get(key) ?? { image, tags: [] };
    const known = new Set(entry.tags.map(familiarString));
    entry.tags.push(...tags.filter((tag) => !known.has(familiarString(tag))));
    wanted.set(key, entry);
  };
  for (const ref of refs) {
    const parsed = parseAnyReference(ref);
    const named = typeof parsed === 'string' ? undefined : parsed;
    const whole = named !== undefined && named.tag === undefined && named.digest === undefined;
    const tagged = whole ? catalogue.all().flatMap(({ id }) => ownTags(catalogue.references(id), named)) : [];
    for (const tag of tagged) add(familiarString(tag), [tag]);
    if (tagged.length > 0) continue;
    const { id } = catalogue.resolve(ref);
    const isTag = named?.tag !== undefined && named.digest === undefined && !isIdPrefix(id, ref);
    add(ref, isTag ? [tagNameOnly(named)] : []);
  }
  return [...wanted.values()];
}

const ownTags = (references: ImageReference[], named: ImageReference): ImageReference[] =>
  references.filter(({ name, digest }) => name === named.name && digest === undefined);

function exportTarget(collection: Collection, ref: string, platform: Platform | undefined): Image {
  try {
    return imageFor(collection, ref, platform);
  } catch (error) {
    if (platform === undefined || kindOf(error) !== 'not-found' || !messageOf(error).includes('was found')) throw error;
    throw notFound(`no suitable export target found: ${messageOf(error)}`, error);
  }
}

function layerBlobs(store: Store, image: Image): Blob[] {
  return image.chainIds.map((chainId) => {
    const { blob } = store.layers.get(chainId);
    const found = store.content.find(blob);
    if (found === undefined) throw internal(`the archive of layer ${chainId} is missing`);
    return found;
  });
}

const blobName = (digest: string): string => `blobs/sha256/${hexOf(digest)}`;

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** @param whole with the indexes that names lead to, not only with the images. */
async function describe(
  collection: Collection,
  lease: Lease,
  wanted: readonly Wanted[],
  whole: boolean,
): Promise<Map<string, Content>> {
  const layout: Layout = { files: new Map(), manifests: [], entries: [], repositories: {} };
  for (const { image, tags } of wanted) {
    const index = whole ? collection.catalogue.indexOf(image.id, tags[0]) : undefined;
    const own = await addImage(collection, lease, layout, image);
    const top = index === undefined ? own : await addIndex(collection, lease, layout, index);
    const { mediaType, digest, size } = top;
    layout.manifests.push(
      ...(tags.length === 0
        ? [{ mediaType, digest, size }]
        : tags.map((tag) => ({ mediaType, digest, size, annotations: annotate(tag) }))),
    );
    addNames(layout, image, layerBlobs(collection.store, image), tags);
  }
  const { files, manifests, entries, repositories } = layout;
  files.set('index.json', json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  files.set('manifest.json', json(entries));
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  if (Object.keys(repositories).length > 0) files.set('repositories', json(repositories));
  return files;
}

/** The image's blobs, and its manifest. */
async function addImage(collection: Collection, lease: Lease, { files }: Layout, image: Image): Promise<Blob> {
  const { store } = collection;
  lease.hold(image.id, ...image.chainIds);
  const layers = layerBlobs(store, image);
  lease.hold(...layers.map(({ digest }) => digest));
  const { bytes, mediaType } = await manifestOf(collection, image, layers);
  const digest = digestOf(bytes);
  files.set(blobName(digest), bytes);
  files.set(blobName(image.id), await store.content.readAll(image.id, JSON_LIMIT));
  for (const layer of layers) files.set(blobName(layer.digest), layer);
  return { digest, mediaType, size: bytes.length };
}

/** All that is here of what an index names. */
async function addIndex({ store }: Collection, lease: Lease, { files }: Layout, index: Blob): Promise<Blob> {
  const { blobs } = await treeOf(store.content, index);
  lease.hold(...blobs.map(({ digest }) => digest));
  for (const blob of blobs) files.set(blobName(blob.digest), blob);
  return index;
}

function addNames(layout: Layout, image: Image, layers: readonly Blob[], tags: readonly ImageReference[]): void {
  layout.entries.push({
    Config: blobName(image.id),
    RepoTags: tags.length === 0 ? null : tags.map(familiarString),
    Layers: layers.map((layer) => blobName(layer.digest)),
  });
  const top = layers.at(-1);
  for (const { name, tag = 'latest' } of top === undefined ? [] : tags) {
    const repository = (layout.repositories[familiarName(name)] ??= {});
    repository[tag] = hexOf(top?.digest ?? image.id);
  }
}

function annotate(reference: ImageReference): Record<string, string> {
  const { name, tag = 'latest' } = reference;
  return { 'io.containerd.image.name': `${name}:${tag}`, 'org.opencontainers.image.ref.name': tag };
}

/** The manifest the image came with if it tells of the layers as they are stored, else one made for them. */
async function manifestOf(
  { store: { content }, stored }: Collection,
  image: Image,
  layers: readonly Blob[],
): Promise<{ bytes: Buffer; mediaType: string }> {
  const own = layers.map(({ digest }) => digest);
  const came = stored(image.id)?.manifest;
  if (came !== undefined) {
    const bytes = await content.readAll(came.digest, JSON_LIMIT);
    const { mediaType, config, layers: named } = parseJson(bytes, ManifestSchema, `manifest ${came.digest}`);
    const same = named.map(({ digest }) => digest).join() === own.join();
    if (same && config.digest === image.id) return { bytes, mediaType: mediaType || mediaTypes.ociManifest };
  }
  return { bytes: await manifestOfLayers(content, image.id, own), mediaType: mediaTypes.ociManifest };
}

async function* archive(store: Store, files: Map<string, Content>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const name of ['blobs/', 'blobs/sha256/']) yield plainHeader({ name, type: 'directory', mode: 0o755 });
  for (const name of [...files.keys()].toSorted()) {
    const content = files.get(name);
    if (content === undefined) continue;
    const size = Buffer.isBuffer(content) ? content.length : content.size;
    yield plainHeader({ name, type: 'file', mode: 0o644, size });
    if (Buffer.isBuffer(content)) yield content;
    else yield* body(store, content, signal);
    yield Buffer.alloc(padding(size));
  }
  yield TAR_END;
}

async function* body(store: Store, blob: Blob, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of store.content.open(blob.digest)) {
    signal.throwIfAborted();
    yield piece;
  }
}
