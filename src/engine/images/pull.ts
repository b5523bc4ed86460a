import { splitName } from '../../remote/registries.ts';
import type { Remote, Repositories } from '../../remote/remote.ts';
import type { ImageConfig, Platform } from '../../spec/image.ts';
import { ImageConfigSchema } from '../../spec/image.ts';
import { JSON_LIMIT, mediaTypes } from '../../spec/manifest.ts';
import { familiarName, familiarString, type ImageReference, parseReference, withTag } from '../../spec/reference.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { digestOf, isDigest } from '../../util/digest.ts';
import { forbidden, invalid } from '../../util/errors.ts';
import type { Slots } from '../../util/slots.ts';
import type { Events, Progress } from '../engine.ts';
import type { RegistryRequest } from '../image-calls.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import type { Collection, NewImage } from './collection.ts';
import { fetchLayers } from './fetch-layers.ts';
import { heldTree } from './held-index.ts';
import { hostPlatform } from './host-platform.ts';
import { emitImage } from './image-event.ts';
import { NEVER_TAGGED } from './load.ts';
import { parseJson } from './parse-json.ts';
import { ProgressFeed } from './progress-feed.ts';
import { pullError } from './registry-refusal.ts';
import { remoteBlob } from './remote-blob.ts';
import { type FoundImage, findManifest } from './remote-manifest.ts';

export interface PullContext {
  readonly collection: Collection;
  readonly events: Events;
  readonly remote: Remote;
  readonly downloads: Slots;
}

/** Docker's: what is deeper, containers of other engines cannot stand on. */
const LAYER_LIMIT = 125;

/** One pull under way. */
interface Pull extends PullContext {
  readonly repositories: Repositories;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

/** Brings an image, or all of a repository, here. Yields what `docker pull` draws. @throws in Docker's words. */
export async function* pullImage(context: PullContext, request: RegistryRequest): AsyncGenerator<Progress> {
  const reference = wanted(request);
  if (familiarName(reference.name) === 'scratch') throw forbidden("'scratch' is a reserved name");
  refuseBuiltin(reference);
  const { signal } = request;
  try {
    using repositories = await context.remote.open(reference.name, request.credentials);
    const platform = { ...hostPlatform(), ...request.platform };
    const pull = { ...context, repositories, platform, signal };
    let fresh = false;
    for await (const one of references(pull, reference)) {
      // The last thing said is whether anything came.
      fresh = (yield* pullOne(pull, one)) || fresh;
    }
    const name = familiarString(reference);
    yield { status: `Status: ${fresh ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` };
    const image = context.collection.catalogue.lookup(reference);
    emitImage(
      context.events,
      'pull',
      name,
      familiarName(reference.name),
      image === undefined ? undefined : context.collection.catalogue.byId(image),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw pullError(error, reference);
  }
}

function wanted({ image, tag }: RegistryRequest): ImageReference {
  const named = parseReference(image);
  if (tag === '') return named;
  return isDigest(tag) ? { name: named.name, digest: tag } : withTag(named, tag);
}

/** The one that is named, or one for each tag there is. */
async function* references({ repositories, signal }: Pull, reference: ImageReference): AsyncGenerator<ImageReference> {
  if (reference.tag !== undefined || reference.digest !== undefined) {
    yield reference;
    return;
  }
  const tags = await repositories.first('resolve', (repository) => Array.fromAsync(repository.tags(signal)));
  for (const tag of tags) yield withTag(reference, tag);
}

/** Pulls one tag or digest; true when something came. */
async function* pullOne(pull: Pull, reference: ImageReference): AsyncGenerator<Progress, boolean> {
  const { repositories, signal } = pull;
  const at = reference.digest ?? reference.tag ?? 'latest';
  const hello = { status: `Pulling from ${splitName(reference.name).path}`, id: at };
  const known = await unchanged(pull, reference);
  if (known !== undefined) {
    yield hello;
    yield { status: `Digest: ${known}` };
    return false;
  }
  const top = await repositories.first(reference.digest === undefined ? 'resolve' : 'pull', (one) =>
    one.manifest(at, signal),
  );
  yield hello;
  const found = await findManifest(repositories, top, pull.platform, signal);
  const fresh = yield* bring(pull, reference, found);
  yield { status: `Digest: ${found.digest}` };
  return fresh;
}

/** The digest of what is here already, when the registry says that it is still the same: one question and nothing more. */
async function unchanged(
  { collection: { catalogue, store }, repositories, platform, signal }: Pull,
  reference: ImageReference,
): Promise<string | undefined> {
  const id = catalogue.lookup(reference);
  const image = id === undefined ? undefined : catalogue.stored(id);
  if (image === undefined || !runsOn(image.config, platform) || !isIntact(store, image)) return undefined;
  if (reference.digest !== undefined) return reference.digest;
  const own = new Set(
    catalogue.references(image.id).flatMap(({ name, digest }) => (name === reference.name ? (digest ?? []) : [])),
  );
  if (own.size === 0) return undefined;
  const digest = await repositories.first('resolve', (repository) =>
    repository.digest(reference.tag ?? 'latest', signal),
  );
  return digest !== undefined && own.has(digest) ? digest : undefined;
}

/** Whether no file of its blobs is lost. */
const isIntact = ({ content, layers }: Store, { id, manifest, chainIds }: StoredImage): boolean =>
  [id, manifest?.digest ?? id, ...chainIds.map((chainId) => layers.find(chainId)?.blob)].every(
    (digest) => digest !== undefined && content.intact(digest),
  );

const runsOn = ({ os, architecture, variant }: ImageConfig, wish: Platform): boolean =>
  (os === '' || os === wish.os) &&
  architecture === wish.architecture &&
  (wish.variant === undefined || variant === '' || variant === wish.variant);

/** Fetches what is missing of an image and gives it its names; true when the name leads elsewhere than before. */
async function* bring(pull: Pull, reference: ImageReference, found: FoundImage): AsyncGenerator<Progress, boolean> {
  const { collection } = pull;
  const { store, catalogue } = collection;
  const before = catalogue.lookup(reference);
  await using stack = new AsyncDisposableStack();
  const lease = stack.use(store.lease());
  // What fails, or is left in the middle, stops first what else it does.
  const stopped = new AbortController();
  stack.defer(() => stopped.abort());
  const signal = AbortSignal.any([pull.signal, stopped.signal]);
  const feed = new ProgressFeed();
  const work = fetchImage({ ...pull, signal }, lease, found, feed.push).finally(feed.end);
  work.catch((error: unknown) => stopped.abort(error));
  yield* feed;
  const image = await work;
  const tags = reference.tag === undefined ? [] : [reference];
  const digests = [{ name: reference.name, digest: found.digest }];
  await collection.add(lease, [{ image, tags, digests, ...(await placeIn(collection, lease, found)) }]);
  for (const { digest } of found.manifest.layers) store.origins.add(digest, reference.name);
  return before !== image.id;
}

/** The indexes on the way to an image are kept, and its place in the outermost. */
async function placeIn(
  { store }: Collection,
  lease: Lease,
  { indexes, manifestBytes }: FoundImage,
): Promise<Pick<NewImage, 'blobs' | 'index'>> {
  const blobs = await Promise.all(indexes.map(({ bytes, mediaType }) => lease.put(bytes, mediaType)));
  const [top] = blobs;
  if (top === undefined) return {};
  const { entries } = await heldTree(store.content, top);
  const index = { ...top, entries };
  return { blobs: blobs.map(({ digest }) => digest), index: { index, manifest: digestOf(manifestBytes) } };
}

async function fetchImage(
  pull: Pull,
  lease: Lease,
  found: FoundImage,
  say: (line: Progress) => void,
): Promise<StoredImage> {
  const { repositories, signal, collection, downloads } = pull;
  const { manifest, manifestBytes } = found;
  const { digest, size } = manifest.config;
  if (size > JSON_LIMIT) throw invalid(`image config ${digest} is larger than ${JSON_LIMIT} bytes`);
  await lease.fetch(remoteBlob(repositories, manifest.config), signal, () => {});
  const config = parseJson(
    await collection.store.content.readAll(digest, JSON_LIMIT),
    ImageConfigSchema,
    `image config ${digest}`,
  );
  const diffIds = config.rootfs.diff_ids;
  if (config.os !== '' && config.os !== 'linux')
    throw invalid(`image operating system "${config.os}" cannot be used on this platform`);
  if (diffIds.length > LAYER_LIMIT) throw invalid('max depth exceeded');
  if (diffIds.length !== manifest.layers.length) throw invalid("layers from manifest don't match image configuration");
  const layers = await fetchLayers(
    { store: collection.store, lease, repositories, slots: downloads, signal, say },
    manifest.layers,
    diffIds,
  );
  const stored = await lease.put(
    manifestBytes,
    manifest.mediaType === '' ? mediaTypes.ociManifest : manifest.mediaType,
  );
  return {
    id: digest,
    config,
    chainIds: layers.map(({ chainId }) => chainId),
    manifest: stored,
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    taggedAt: NEVER_TAGGED,
  };
}
