import type { Remote } from '../../remote/remote.ts';
import type { Platform } from '../../spec/image.ts';
import { familiarName, familiarString, type ImageReference, parseReference, withTag } from '../../spec/reference.ts';
import { conflict, invalid, notFound } from '../../util/errors.ts';
import type { Slots } from '../../util/slots.ts';
import type { Events, Image, Progress } from '../engine.ts';
import type { RegistryRequest } from '../image-calls.ts';
import type { Collection } from './collection.ts';
import { treeOf } from './content-tree.ts';
import type { HeldIndex } from './held-index.ts';
import { hostPlatform } from './host-platform.ts';
import { emitImage } from './image-event.ts';
import { imageFor } from './image-for.ts';
import { ProgressFeed } from './progress-feed.ts';
import { type Push, type Sent, sendImage, sendIndex } from './push-manifest.ts';
import { registryRefusal } from './registry-refusal.ts';

export interface PushContext {
  readonly collection: Collection;
  readonly events: Events;
  readonly remote: Remote;
  readonly uploads: Slots;
}

/** A tag and what it leads to. */
interface Tagged {
  readonly tag: string;
  readonly image: Image;
}

/** Sends an image, or all tags of a repository, to its registry. Yields what `docker push` draws. @throws in Docker's words. */
export async function* pushImage(context: PushContext, request: RegistryRequest): AsyncGenerator<Progress> {
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
      const work = pushOne(push, image, request.platform).finally(feed.end);
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

function tagsOf({ catalogue }: Collection, reference: ImageReference): Tagged[] {
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

/** Sends what a tag leads to, and remembers the digest by which the registry has it. */
async function pushOne(push: Push, image: Image, platform: Platform | undefined): Promise<Sent> {
  const { collection, reference } = push;
  const index = collection.catalogue.indexOf(image.id, reference);
  const { sent, id } = await send(push, image, index, platform);
  // It may have been removed while it was being sent.
  const { name } = reference;
  if (collection.catalogue.stored(id) !== undefined) collection.addDigest({ name, digest: sent.digest }, id);
  return sent;
}

/** Gives the image, too, that the digest stands for. */
async function send(
  push: Push,
  image: Image,
  index: HeldIndex | undefined,
  platform: Platform | undefined,
): Promise<{ sent: Sent; id: string }> {
  const { collection, reference, say } = push;
  const alone = async (one: Image) => ({ sent: await sendImage(push, one), id: one.id });
  if (platform !== undefined) return await alone(imageFor(collection, familiarString(reference), platform));
  if (index === undefined) return await alone(image);
  const tree = await treeOf(collection.store.content, index);
  if (tree.missing.size === 0) return { sent: await sendIndex(push, tree), id: image.id };
  const told = await alone(oneOf(collection, reference, index));
  const [originalIndex, selectedManifest] = [index, told.sent].map(({ mediaType, digest, size }) => ({
    mediaType,
    digest,
    size,
  }));
  say({ progressDetail: {}, aux: { manifestPushedInsteadOfIndex: true, originalIndex, selectedManifest } });
  return told;
}

/** What goes out of an index that is here in part: the only image there is, or that for this host. Source: moby `daemon/containerd/image_push.go`. */
function oneOf({ catalogue }: Collection, reference: ImageReference, { images }: HeldIndex): Image {
  const here = [...new Set(images.values())].flatMap((id) => catalogue.byId(id) ?? []);
  const [only, ...more] = here;
  if (only !== undefined && more.length === 0) return only;
  const own = catalogue.resolveFor(familiarString(reference), hostPlatform());
  if (own === undefined) throw conflict('multiple matching manifests found but no specific platform requested');
  return own;
}
