import { join } from 'node:path';
import type { Remote } from '../../remote/remote.ts';
import { isIndexType, isManifestType } from '../../spec/manifest.ts';
import type { ImageReference } from '../../spec/reference.ts';
import type { Damage } from '../../store/check.ts';
import type { Blob } from '../../store/content.ts';
import { digestOf } from '../../util/digest.ts';
import { conflict, messageOf, notFound } from '../../util/errors.ts';
import { shortId } from '../../util/id.ts';
import type { Progress } from '../engine.ts';
import type { RegistryRequest } from '../image-calls.ts';
import type { Collection } from './collection.ts';
import { manifestOfLayers } from './layer-manifest.ts';
import { remoteBlob } from './remote-blob.ts';
import type { Users } from './remove.ts';

export interface CheckContext {
  readonly collection: Collection;
  readonly remote: Remote;
  readonly inUse: (imageId: string) => Users;
  readonly pinned: (imageId: string) => boolean;
  readonly standingOn: (lowerDir: string) => readonly string[];
  readonly pull: (request: RegistryRequest) => AsyncIterable<Progress>;
}

/** What a check came to, told with its last line. */
export interface CheckResult {
  readonly blobs: number;
  readonly layers: number;
  readonly images: number;
  readonly damaged: number;
  readonly repaired: number;
}

/** Damage, also to what the database says of an image. */
type Found = Damage | { readonly what: 'image'; readonly id: string; readonly how: string };

/** Blobs come first: layers are made of them, and images of both. */
const ORDER: readonly Found['what'][] = ['blob', 'layer', 'link', 'file', 'image'];

/**
 * Looks at all that is stored of images. Yields a line for each damage and, with `repair`, what became of it; the result comes last.
 * What is repaired comes from the registries that have it, or from what is here in another form.
 */
export async function* checkImages(
  context: CheckContext,
  { repair, signal }: { repair: boolean; signal: AbortSignal },
): AsyncGenerator<Progress> {
  const { store } = context.collection;
  const counts = {
    blobs: store.check.counts().blobs,
    layers: store.check.counts().layers,
    images: store.images.all().length,
  };
  const found: Found[] = [];
  for await (const damage of store.check.run(signal)) {
    found.push(damage);
    yield { status: lineOf(damage) };
  }
  for (const damage of brokenImages(context.collection)) {
    found.push(damage);
    yield { status: lineOf(damage) };
  }
  let repaired = 0;
  for (const damage of repair ? found.toSorted((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what)) : []) {
    try {
      await repairOne(context, damage, signal);
      repaired++;
      yield { status: `repaired ${damage.what} ${damage.id}` };
    } catch (error) {
      signal.throwIfAborted();
      yield { status: `cannot repair ${damage.what} ${damage.id}: ${messageOf(error)}` };
    }
  }
  yield { aux: { ...counts, damaged: found.length, repaired } satisfies CheckResult };
}

const lineOf = ({ what, id, how }: Found): string => `${what} ${id}: ${how}`;

/** Images that the database names and that could not be read, or whose layers it does not know. */
function brokenImages({ store, stored }: Collection): Found[] {
  return store.images.all().flatMap(({ id }): Found[] => {
    const image = stored(id);
    if (image === undefined) return [{ what: 'image', id, how: 'it cannot be read' }];
    const missing = image.chainIds.find((chainId) => store.layers.find(chainId) === undefined);
    return missing === undefined ? [] : [{ what: 'image', id, how: `the row of its layer ${missing} is missing` }];
  });
}

async function repairOne(context: CheckContext, { what, id }: Found, signal: AbortSignal): Promise<void> {
  const { check } = context.collection.store;
  if (what === 'blob') await repairBlob(context, id, signal);
  else if (what === 'layer') await repairLayer(context, id, signal);
  else if (what === 'link') check.relink(id);
  else if (what === 'file') check.discard(id);
  else await repairImage(context, id, signal);
}

async function repairBlob({ collection, remote }: CheckContext, digest: string, signal: AbortSignal): Promise<void> {
  const { store } = collection;
  const blob = store.content.find(digest);
  if (blob === undefined) return;
  const made = await madeAnew(collection, digest);
  if (made !== undefined) {
    await store.check.replaceBlob(digest, [made], signal);
    return;
  }
  const put = (source: Bytes): Promise<void> => store.check.replaceBlob(digest, source, signal);
  await anyOf(reposOf(collection, digest), (name) => fetchFrom(remote, name, blob, put, signal), signal);
}

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Tries one after another until it works with one. @throws what went wrong with the last. */
async function anyOf<T>(all: Iterable<T>, attempt: (one: T) => Promise<void>, signal: AbortSignal): Promise<void> {
  let failure: unknown = notFound('no registry is known to have it');
  for (const one of all) {
    try {
      await attempt(one);
      return;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** A manifest that was made here can be made here again. */
async function madeAnew({ store, catalogue }: Collection, digest: string): Promise<Buffer | undefined> {
  const id = catalogue.withManifest(digest);
  const image = id === undefined ? undefined : catalogue.stored(id);
  if (image === undefined) return undefined;
  const layers = image.chainIds.map((chainId) => store.layers.get(chainId).blob);
  const bytes = await manifestOfLayers(store.content, image.id, layers).catch(() => undefined);
  return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
}

/** Repositories that may have a blob: those it came from or went to, and those of the images that need it. */
function reposOf({ store, catalogue }: Collection, digest: string): string[] {
  const names = store.images.all().flatMap(({ id, manifest, chainId }) => {
    const known = chainId !== undefined && store.layers.find(chainId) !== undefined;
    const layers = known ? store.layers.chain(chainId).map(({ blob }) => blob) : [];
    const references = catalogue.references(id).filter((reference) => reference.digest !== undefined);
    const needs = [id, manifest, ...layers, ...references.map((reference) => reference.digest)].includes(digest);
    return needs ? references.map(({ name }) => name) : [];
  });
  return [...new Set([...store.origins.of(digest), ...names])];
}

async function fetchFrom(
  remote: Remote,
  name: string,
  blob: Blob,
  put: (source: Bytes) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  using repositories = await remote.open(name, undefined);
  if (isManifestType(blob.mediaType) || isIndexType(blob.mediaType)) {
    const { bytes } = await repositories.first('pull', (one) => one.manifest(blob.digest, signal));
    await put([bytes]);
    return;
  }
  const descriptor = { ...blob, annotations: {}, platform: null };
  const wanted = remoteBlob(repositories, descriptor);
  // The first place that answers may have it damaged.
  await anyOf(Array(wanted.places).keys(), (place) => put(wanted.open(0, place, signal)), signal);
}

async function repairLayer(context: CheckContext, chainId: string, signal: AbortSignal): Promise<void> {
  const refuse = (): void => refuseUsed(context, chainId);
  refuse();
  // Unpacking may take minutes, in which a container can be started.
  await context.collection.store.check.rebuildLayer(chainId, refuse, signal);
}

/** By what containers have mounted, as their image may be unreadable; and by the images that are being mounted or made use of. */
function refuseUsed({ collection, inUse, pinned, standingOn }: CheckContext, chainId: string): void {
  const { store, stored } = collection;
  const { link = '' } = store.layers.find(chainId) ?? {};
  const images = store.images.all().filter(({ id }) => stored(id)?.chainIds.includes(chainId) === true);
  const running = [...standingOn(join(store.dirs.links, link)), ...images.flatMap(({ id }) => inUse(id).running)];
  const [user] = running;
  if (user !== undefined) throw conflict(`running container ${shortId(user)} stands on it: stop it first`);
  if (images.some(({ id }) => pinned(id))) throw conflict('a container is just being made on it: try again');
}

/** Reads it again, else brings it here again by a digest that a registry has it under. */
async function repairImage({ collection, pull }: CheckContext, id: string, signal: AbortSignal): Promise<void> {
  if (await collection.revive(id)) return;
  const names = collection.catalogue.references(id).filter(({ digest }) => digest !== undefined);
  const bring = async ({ name, digest = '' }: ImageReference): Promise<void> => {
    await Array.fromAsync(pull({ image: `${name}@${digest}`, tag: '', signal }));
    if (!(await collection.revive(id))) throw notFound(`${name}@${digest} does not bring it back`);
  };
  await anyOf(names, bring, signal);
}
