import { Readable } from 'node:stream';
import * as v from 'valibot';
import { JSON_LIMIT, ManifestSchema, mediaTypes } from '../../spec/manifest.ts';
import {
  familiarName,
  familiarString,
  type ImageReference,
  parseAnyReference,
  tagNameOnly,
} from '../../spec/reference.ts';
import type { Blob } from '../../store/content.ts';
import { layerCodec } from '../../store/layer-codec.ts';
import type { Store } from '../../store/store.ts';
import { digestOf, hexOf } from '../../util/digest.ts';
import { internal, invalid } from '../../util/errors.ts';
import { padding } from '../../util/tar/header.ts';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import type { Events, Image } from '../engine.ts';
import { isIdPrefix } from './catalogue.ts';
import type { Collection } from './collection.ts';
import { emitImage } from './image-event.ts';
import { plainHeader } from './plain-header.ts';

/** An image and the names it is saved under. */
interface Wanted {
  readonly image: Image;
  readonly tags: ImageReference[];
}

/** A file of the archive: bytes made here or a stored blob. */
type Content = Buffer | Blob;

/**
 * One archive that is an OCI layout and a docker-archive at once, as current Docker writes it. The same images give the
 * same bytes: members are sorted and times are the epoch. Layers go out as they came in, compressed or not.
 *
 * @throws `not-found`, `invalid` before anything is streamed.
 */
export async function saveImages(
  collection: Collection,
  events: Events,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<Readable> {
  const wanted = selectImages(collection, refs);
  const lease = collection.store.lease();
  try {
    for (const { image } of wanted) lease.hold(...needs(collection, image));
    const files = await describe(collection, wanted);
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
function selectImages({ catalogue }: Collection, refs: readonly string[]): Wanted[] {
  if (refs.length === 0) throw invalid('no image was named');
  const wanted = new Map<string, Wanted>();
  const add = (image: Image, tags: ImageReference[]): void => {
    const entry = wanted.get(image.id) ?? { image, tags: [] };
    const known = new Set(entry.tags.map(familiarString));
    entry.tags.push(...tags.filter((tag) => !known.has(familiarString(tag))));
    wanted.set(image.id, entry);
  };
  for (const ref of refs) {
    const parsed = parseAnyReference(ref);
    const named = typeof parsed === 'string' ? undefined : parsed;
    const whole = named !== undefined && named.tag === undefined && named.digest === undefined;
    const tagged = whole
      ? catalogue.all().flatMap((image) => ownTags(catalogue.references(image.id), named, image))
      : [];
    for (const { image, tag } of tagged) add(image, [tag]);
    if (tagged.length > 0) continue;
    const image = catalogue.resolve(ref);
    const isTag = named?.tag !== undefined && named.digest === undefined && !isIdPrefix(image.id, ref);
    add(image, isTag ? [tagNameOnly(named)] : []);
  }
  return [...wanted.values()];
}

function ownTags(
  references: ImageReference[],
  named: ImageReference,
  image: Image,
): { image: Image; tag: ImageReference }[] {
  return references
    .filter(({ name, digest }) => name === named.name && digest === undefined)
    .map((tag) => ({ image, tag }));
}

function layerBlobs(store: Store, image: Image): Blob[] {
  return image.chainIds.map((chainId) => {
    const { blob } = store.layers.get(chainId);
    const found = store.content.find(blob);
    if (found === undefined) throw internal(`the archive of layer ${chainId} is missing`);
    return found;
  });
}

/** What must not be collected while the image is being saved. */
function needs({ store, stored }: Collection, image: Image): string[] {
  const manifest = stored(image.id)?.manifest;
  const blobs = layerBlobs(store, image).map(({ digest }) => digest);
  return [image.id, ...image.chainIds, ...blobs, ...(manifest === undefined ? [] : [manifest])];
}

const blobName = (digest: string): string => `blobs/sha256/${hexOf(digest)}`;

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

async function describe(collection: Collection, wanted: readonly Wanted[]): Promise<Map<string, Content>> {
  const files = new Map<string, Content>();
  const manifests: object[] = [];
  const entries: object[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, tags } of wanted) {
    const layers = layerBlobs(collection.store, image);
    const manifest = await manifestOf(collection, image, layers);
    const digest = digestOf(manifest);
    files.set(blobName(digest), manifest);
    files.set(blobName(image.id), await collection.store.content.readAll(image.id, JSON_LIMIT));
    for (const layer of layers) files.set(blobName(layer.digest), layer);
    const descriptor = { mediaType: mediaTypeOf(manifest), digest, size: manifest.length };
    manifests.push(
      ...(tags.length === 0 ? [descriptor] : tags.map((tag) => ({ ...descriptor, annotations: annotate(tag) }))),
    );
    entries.push({
      Config: blobName(image.id),
      RepoTags: tags.length === 0 ? null : tags.map(familiarString),
      Layers: layers.map((layer) => blobName(layer.digest)),
    });
    const top = layers.at(-1);
    for (const { name, tag = 'latest' } of top === undefined ? [] : tags) {
      const repository = (repositories[familiarName(name)] ??= {});
      repository[tag] = hexOf(top?.digest ?? image.id);
    }
  }
  files.set('index.json', json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  files.set('manifest.json', json(entries));
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  if (Object.keys(repositories).length > 0) files.set('repositories', json(repositories));
  return files;
}

function annotate(reference: ImageReference): Record<string, string> {
  const { name, tag = 'latest' } = reference;
  return { 'io.containerd.image.name': `${name}:${tag}`, 'org.opencontainers.image.ref.name': tag };
}

const OneTypeSchema = v.looseObject({ mediaType: v.optional(v.string(), '') });

function mediaTypeOf(manifest: Buffer): string {
  return v.parse(OneTypeSchema, JSON.parse(manifest.toString('utf8'))).mediaType || mediaTypes.ociManifest;
}

/** The manifest the image came with if it tells of the layers as they are stored, else one made for them. */
async function manifestOf({ store, stored }: Collection, image: Image, layers: readonly Blob[]): Promise<Buffer> {
  const digest = stored(image.id)?.manifest;
  if (digest !== undefined) {
    const bytes = await store.content.readAll(digest, JSON_LIMIT);
    const manifest = v.parse(ManifestSchema, JSON.parse(bytes.toString('utf8')));
    const same = manifest.layers.map((layer) => layer.digest).join() === layers.map((layer) => layer.digest).join();
    if (same && manifest.config.digest === image.id) return bytes;
  }
  const config = store.content.find(image.id);
  const described = await Promise.all(layers.map((layer) => describeLayer(store, layer)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: image.id, size: config?.size ?? 0 },
    layers: described,
  };
  return Buffer.from(JSON.stringify(manifest));
}

async function describeLayer({ content }: Store, { digest, size }: Blob): Promise<object> {
  const codec = await layerCodec(content, digest);
  return {
    mediaType: `${mediaTypes.ociLayer}${codec === 'gzip' || codec === 'zstd' ? `+${codec}` : ''}`,
    digest,
    size,
  };
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
