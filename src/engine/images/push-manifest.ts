import type { PushRepository, SentBlob } from '../../remote/push-repository.ts';
import { splitName } from '../../remote/registries.ts';
import { isManifestType, JSON_LIMIT, ManifestSchema, mediaTypes } from '../../spec/manifest.ts';
import type { ImageReference } from '../../spec/reference.ts';
import type { Blob } from '../../store/content.ts';
import type { Lease } from '../../store/lease.ts';
import type { Packed } from '../../store/packed-layers.ts';
import { digestOf } from '../../util/digest.ts';
import { internal } from '../../util/errors.ts';
import type { Slots } from '../../util/slots.ts';
import type { Image, Progress } from '../engine.ts';
import type { Collection } from './collection.ts';
import { type ContentTree, isForeign } from './content-tree.ts';
import { parseJson } from './parse-json.ts';

/** A tag on its way to a registry. */
export interface Push {
  readonly collection: Collection;
  readonly uploads: Slots;
  readonly reference: ImageReference;
  readonly repository: PushRepository;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly say: (line: Progress) => void;
}

/** A manifest or index as the registry has it now. */
export type Sent = Blob;

/** An image as it goes out. */
interface Outgoing {
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly config: { readonly digest: string; readonly size: number };
  /** Layers as they are sent, lowest first. */
  readonly layers: readonly OutgoingLayer[];
  readonly packed: readonly Packed[];
}

interface OutgoingLayer {
  readonly digest: string;
  readonly size: number;
  /** Twelve digits, by which its progress is told. */
  readonly line: string;
}

/** How often a line tells how much of a layer has gone, milliseconds. */
const INTERVAL_MS = 100;

const lineOf = (digest: string): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);

/** Sends one image, under the tag. */
export async function sendImage(push: Push, image: Image): Promise<Sent> {
  push.lease.hold(image.id, ...image.chainIds);
  return await sendManifest(push, await describe(push, image), push.reference.tag ?? 'latest');
}

/** Sends everything an index stands for, which is all here, and the index itself under the tag. */
export async function sendIndex(push: Push, { blobs }: ContentTree): Promise<Sent> {
  const { collection, lease, repository, signal, reference } = push;
  const { content } = collection.store;
  lease.hold(...blobs.map(({ digest }) => digest));
  const top = blobs.at(-1);
  if (top === undefined) throw internal('nothing to push');
  const documents = blobs.filter(({ mediaType }) => mediaType.includes('manifest') || mediaType.includes('index'));
  for (const document of documents) {
    const at = document === top ? (reference.tag ?? 'latest') : document.digest;
    const bytes = await content.readAll(document.digest, JSON_LIMIT);
    if (isManifestType(document.mediaType)) {
      await sendManifest(push, asItCame(push, bytes, document.mediaType), at);
    } else await repository.putManifest(at, document.mediaType, bytes, signal);
  }
  return top;
}

async function sendManifest(push: Push, outgoing: Outgoing, at: string): Promise<Sent> {
  const { collection, reference, repository, lease, signal, say } = push;
  const { manifest, mediaType, config } = outgoing;
  const { store } = collection;
  // The topmost first, as Docker tells it.
  for (const { line } of outgoing.layers.toReversed()) say({ status: 'Preparing', progressDetail: {}, id: line });
  const unique = new Map(outgoing.layers.map((layer) => [layer.digest, layer]));
  await Promise.all([...unique.values()].map((layer) => push.uploads.run(() => sendLayer(push, layer), signal)));
  if (!(await repository.has(config.digest, signal))) {
    await repository.upload({ ...config, open: () => store.content.open(config.digest) }, undefined, signal);
  }
  await repository.putManifest(at, mediaType, manifest, signal);
  await lease.commit(() => {
    for (const packed of outgoing.packed) packed.remember();
    for (const blob of unique.keys()) store.origins.add(blob, reference.name);
  });
  return { digest: digestOf(manifest), size: manifest.length, mediaType };
}

/** A stored manifest whose blobs are all here, but for layers that others do not hand on: where those are, registries know. */
function asItCame({ collection }: Push, manifest: Buffer, mediaType: string): Outgoing {
  const digest = digestOf(manifest);
  const { config, layers } = parseJson(manifest, ManifestSchema, `manifest ${digest}`);
  const diffIds = collection.stored(config.digest)?.config.rootfs.diff_ids ?? [];
  const { content } = collection.store;
  const told = layers.map((layer, at) => ({ ...layer, line: lineOf(diffIds[at] ?? layer.digest) }));
  const sent = told.filter((layer) => content.has(layer.digest) || !isForeign(layer.mediaType));
  return { manifest, mediaType, config, layers: sent, packed: [] };
}

/** The manifest the image came with while everything it names is here, else one for the layers as they are. */
async function describe(push: Push, image: Image): Promise<Outgoing> {
  const { collection, lease, signal } = push;
  const { store } = collection;
  const came = collection.stored(image.id)?.manifest;
  if (came !== undefined) {
    lease.hold(came.digest);
    const manifest = await store.content.readAll(came.digest, JSON_LIMIT);
    const { mediaType, config, layers } = parseJson(manifest, ManifestSchema, `manifest ${came.digest}`);
    const whole =
      config.digest === image.id &&
      layers.every(({ digest }) => store.content.has(digest)) &&
      layers.every((layer) => !isPlain(layer.mediaType));
    lease.hold(...layers.map(({ digest }) => digest));
    if (whole) return asItCame(push, manifest, mediaType === '' ? mediaTypes.ociManifest : mediaType);
  }
  const packed: Packed[] = [];
  for (const chainId of image.chainIds) packed.push(await store.packed.pack(store.layers.get(chainId), lease, signal));
  const config = { digest: image.id, size: store.content.find(image.id)?.size ?? 0 };
  const { bytes, mediaType } = newManifest(config, packed);
  const layers = packed.map(({ blob: { digest, size } }, at) => ({
    digest,
    size,
    line: lineOf(image.config.rootfs.diff_ids[at] ?? ''),
  }));
  return { manifest: bytes, mediaType, config, layers, packed };
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

async function sendLayer(push: Push, { digest, size, line }: OutgoingLayer): Promise<void> {
  const { repository, signal, say, collection, reference } = push;
  if (await repository.has(digest, signal)) {
    say({ status: 'Layer already exists', progressDetail: {}, id: line });
    return;
  }
  const { registry, path } = splitName(reference.name);
  const origins = collection.store.origins.of(digest).map(splitName);
  const from = origins.find((origin) => origin.registry === registry && origin.path !== path)?.path;
  const mounted = await repository.upload(blobToSend(push, { digest, size, line }), from, signal);
  say({ status: mounted ? `Mounted from ${from ?? ''}` : 'Pushed', progressDetail: {}, id: line });
}

function blobToSend({ collection, say }: Push, { digest, size, line }: OutgoingLayer): SentBlob {
  async function* open(): AsyncGenerator<Uint8Array> {
    let gone = 0;
    let told = 0;
    for await (const piece of collection.store.content.open(digest) as AsyncIterable<Buffer>) {
      yield piece;
      gone += piece.length;
      const now = performance.now();
      if (now - told < INTERVAL_MS) continue;
      told = now;
      say({ status: 'Pushing', progressDetail: { current: gone, total: size }, id: line });
    }
  }
  return { digest, size, open };
}
