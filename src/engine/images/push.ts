import type { PushRepository, SentBlob } from '../../remote/push-repository.ts';
import { splitName } from '../../remote/registries.ts';
import type { Remote } from '../../remote/remote.ts';
import type { Credentials } from '../../spec/auth-config.ts';
import { JSON_LIMIT, ManifestSchema, mediaTypes } from '../../spec/manifest.ts';
import { familiarName, familiarString, type ImageReference, parseReference, withTag } from '../../spec/reference.ts';
import type { Lease } from '../../store/lease.ts';
import type { Packed } from '../../store/packed-layers.ts';
import { digestOf } from '../../util/digest.ts';
import { invalid, notFound } from '../../util/errors.ts';
import type { Slots } from '../../util/slots.ts';
import type { Events, Image, Progress } from '../engine.ts';
import type { Collection } from './collection.ts';
import { emitImage } from './image-event.ts';
import { parseJson } from './parse-json.ts';
import { ProgressFeed } from './progress-feed.ts';
import { registryRefusal } from './registry-refusal.ts';

export interface PushRequest {
  /** As the user wrote it. */
  readonly image: string;
  /** Empty: what `image` says, all tags when it says none. */
  readonly tag: string;
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
}

export interface PushContext {
  readonly collection: Collection;
  readonly events: Events;
  readonly remote: Remote;
  readonly uploads: Slots;
}

interface Push extends PushContext {
  readonly reference: ImageReference;
  readonly repository: PushRepository;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly say: (line: Progress) => void;
}

/** An image as it goes out. */
interface Outgoing {
  readonly manifest: Buffer;
  readonly mediaType: string;
  /** Layers as they are sent, lowest first. */
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly diffId: string }[];
  readonly packed: readonly Packed[];
}

/** How often a line tells how much of a layer has gone, milliseconds. */
const INTERVAL_MS = 100;

/** Sends an image, or all tags of a repository, to its registry. Yields what `docker push` draws. @throws in Docker's words. */
export async function* pushImage(context: PushContext, request: PushRequest): AsyncGenerator<Progress> {
  const named = parseReference(request.image);
  const reference = request.tag === '' ? named : withTag(named, request.tag);
  yield { status: `The push refers to repository [${reference.name}]` };
  const stopped = new AbortController();
  const signal = AbortSignal.any([request.signal, stopped.signal]);
  try {
    const tags = tagsOf(context.collection, reference);
    using repositories = await context.remote.open(reference.name, request.credentials);
    const repository = await repositories.forPush(signal);
    for (const { tag, image } of tags) {
      await using lease = context.collection.store.lease();
      const feed = new ProgressFeed();
      const push = { ...context, repository, reference: withTag(reference, tag), lease, signal, say: feed.push };
      const work = pushOne(push, image).finally(feed.end);
      work.catch(() => {});
      yield* feed;
      const { digest, size } = await work;
      yield { status: `${tag}: digest: ${digest} size: ${size}` };
      yield { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } };
    }
    const name = familiarString(reference);
    emitImage(context.events, 'push', name, familiarName(reference.name), tags[0]?.image);
  } catch (error) {
    request.signal.throwIfAborted();
    throw registryRefusal(error);
  } finally {
    stopped.abort();
  }
}

function tagsOf({ catalogue }: Collection, reference: ImageReference): { tag: string; image: Image }[] {
  const { name, tag, digest } = reference;
  if (digest !== undefined) throw invalid('cannot push a digest reference');
  const own = catalogue
    .all()
    .flatMap((image) => catalogue.references(image.id).map((one) => ({ ...one, image })))
    .filter((one) => one.name === name);
  if (own.length === 0) throw notFound(`An image does not exist locally with the tag: ${familiarName(name)}`);
  const wanted = own.flatMap((one) =>
    one.tag !== undefined && (tag === undefined || one.tag === tag) ? [{ tag: one.tag, image: one.image }] : [],
  );
  if (wanted.length === 0) throw notFound(`tag does not exist: ${familiarString(reference)}`);
  return wanted;
}

async function pushOne(push: Push, image: Image): Promise<{ digest: string; size: number }> {
  const { collection, reference, repository, lease, signal, say } = push;
  const { store } = collection;
  lease.hold(image.id, ...image.chainIds);
  // The topmost first, as Docker tells it.
  for (const diffId of image.config.rootfs.diff_ids.toReversed())
    say({ status: 'Preparing', progressDetail: {}, id: lineOf(diffId) });
  const outgoing = await describe(push, image);
  const unique = new Map(outgoing.layers.map((layer) => [layer.digest, layer]));
  await Promise.all([...unique.values()].map((layer) => push.uploads.run(() => pushLayer(push, layer), signal)));
  const config = {
    digest: image.id,
    size: store.content.find(image.id)?.size ?? 0,
    open: () => store.content.open(image.id),
  };
  if (!(await repository.has(image.id, signal))) await repository.upload(config, undefined, signal);
  await repository.putManifest(reference.tag ?? 'latest', outgoing.mediaType, outgoing.manifest, signal);
  const digest = digestOf(outgoing.manifest);
  await lease.commit(() => {
    for (const packed of outgoing.packed) packed.remember();
    for (const blob of unique.keys()) store.origins.add(blob, reference.name);
  });
  // It may have been removed while it was being sent.
  if (collection.catalogue.stored(image.id) !== undefined)
    collection.addDigest({ name: reference.name, digest }, image.id);
  return { digest, size: outgoing.manifest.length };
}

const lineOf = (diffId: string): string => diffId.slice('sha256:'.length, 'sha256:'.length + 12);

/** The manifest the image came with while everything it names is here, else one for the layers as they are. */
async function describe({ collection: { store, stored }, lease, signal }: Push, image: Image): Promise<Outgoing> {
  const diffIds = image.config.rootfs.diff_ids;
  const came = stored(image.id)?.manifest;
  if (came !== undefined) {
    lease.hold(came);
    const manifest = await store.content.readAll(came, JSON_LIMIT);
    const { mediaType, config, layers } = parseJson(manifest, ManifestSchema, `manifest ${came}`);
    const whole =
      config.digest === image.id &&
      layers.every(({ digest }) => store.content.has(digest)) &&
      layers.every((layer) => !isPlain(layer.mediaType));
    lease.hold(...layers.map(({ digest }) => digest));
    if (whole) {
      const sent = layers.map(({ digest, size }, at) => ({ digest, size, diffId: diffIds[at] ?? '' }));
      return { manifest, mediaType: mediaType === '' ? mediaTypes.ociManifest : mediaType, layers: sent, packed: [] };
    }
  }
  const packed: Packed[] = [];
  for (const chainId of image.chainIds) packed.push(await store.packed.pack(store.layers.get(chainId), lease, signal));
  const { bytes, mediaType } = newManifest({ digest: image.id, size: store.content.find(image.id)?.size ?? 0 }, packed);
  const sent = packed.map(({ blob: { digest, size } }, at) => ({ digest, size, diffId: diffIds[at] ?? '' }));
  return { manifest: bytes, mediaType, layers: sent, packed };
}

/** Layers that are sent compressed. */
const isPlain = (mediaType: string): boolean => mediaType === mediaTypes.ociLayer;

/** Docker's kind of manifest where it can tell of the layers, as older readers know no other. */
function newManifest(
  config: { digest: string; size: number },
  layers: readonly Packed[],
): { bytes: Buffer; mediaType: string } {
  const docker = layers.every(({ mediaType }) => mediaType === mediaTypes.dockerLayer);
  const typeOf = (mediaType: string) =>
    docker || mediaType !== mediaTypes.dockerLayer ? mediaType : `${mediaTypes.ociLayer}+gzip`;
  const manifest = {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: {
      mediaType: docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
      size: config.size,
      digest: config.digest,
    },
    layers: layers.map(({ blob, mediaType }) => ({
      mediaType: typeOf(mediaType),
      size: blob.size,
      digest: blob.digest,
    })),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest, null, 3)), mediaType: manifest.mediaType };
}

async function pushLayer(push: Push, { digest, size, diffId }: Outgoing['layers'][number]): Promise<void> {
  const { repository, signal, say, collection, reference } = push;
  const id = lineOf(diffId);
  if (await repository.has(digest, signal)) {
    say({ status: 'Layer already exists', progressDetail: {}, id });
    return;
  }
  const { registry, path } = splitName(reference.name);
  const origins = collection.store.origins.of(digest).map(splitName);
  const from = origins.find((origin) => origin.registry === registry && origin.path !== path)?.path;
  const mounted = await repository.upload(blobToSend(push, { digest, size, id }), from, signal);
  say({ status: mounted ? `Mounted from ${from ?? ''}` : 'Pushed', progressDetail: {}, id });
}

function blobToSend(
  { collection, say }: Push,
  { digest, size, id }: { digest: string; size: number; id: string },
): SentBlob {
  async function* open(): AsyncGenerator<Uint8Array> {
    let gone = 0;
    let told = 0;
    for await (const piece of collection.store.content.open(digest) as AsyncIterable<Buffer>) {
      yield piece;
      gone += piece.length;
      const now = performance.now();
      if (now - told < INTERVAL_MS) continue;
      told = now;
      say({ status: 'Pushing', progressDetail: { current: gone, total: size }, id });
    }
  }
  return { digest, size, open };
}
