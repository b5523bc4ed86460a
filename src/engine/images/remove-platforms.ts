import type { Platform } from '../../spec/image.ts';
import type { ImageReference } from '../../spec/reference.ts';
import { conflict, kindOf, messageOf } from '../../util/errors.ts';
import { shortId } from '../../util/id.ts';
import type { Image } from '../engine.ts';
import { hostPlatform } from './host-platform.ts';
import { imageFor } from './image-for.ts';
import { choosePlatform, platformName, platformOf } from './platform-choice.ts';
import { type Removal, type RemoveContext, type RemoveOptions, removeImage } from './remove.ts';

/**
 * Removes of a name the images for some platforms. When it led to one of them, it leads to another that is left; the last one takes
 * the name with it.
 *
 * @throws `not-found`; `conflict`; those before it are removed.
 */
export function removePlatforms(
  context: RemoveContext,
  ref: string,
  options: RemoveOptions & { readonly platforms: readonly Platform[] },
): Removal {
  const whole = context.collection.catalogue.resolve(ref);
  const removals = options.platforms.map((platform) => {
    try {
      return removeOne(context, ref, platform, options);
    } catch (error) {
      // Source for the words: moby `daemon/containerd/image_delete.go`.
      const text = `failed to delete platform ${platformName(platform)} for image ${whole.id}: ${messageOf(error)}`;
      throw kindOf(error) === 'conflict' ? conflict(text, error) : error;
    }
  });
  return { untagged: removals.flatMap((one) => one.untagged), deleted: removals.flatMap((one) => one.deleted) };
}

function removeOne(context: RemoveContext, ref: string, platform: Platform, options: RemoveOptions): Removal {
  const { collection } = context;
  const { catalogue } = collection;
  const image = imageFor(collection, ref, platform);
  const left = heirOf(context, catalogue.resolve(ref), image);
  if (left === undefined) return removeImage(context, ref, options);
  refuseUsed(context, image, options.force);
  for (const reference of catalogue.references(image.id)) hand(context, reference, image, left);
  const manifests = [...(catalogue.held(image.target?.digest ?? '')?.images ?? [])];
  const named = manifests.flatMap(([manifest, id]) => (id === image.id ? [manifest] : []));
  const { untagged, deleted } = removeImage(context, image.id, options);
  return { untagged, deleted: [...named, ...deleted] };
}

/** Whom the names go to: the image for this host, else the first of the index that is left. */
function heirOf({ collection: { catalogue } }: RemoveContext, whole: Image, gone: Image): Image | undefined {
  const index = catalogue.held(whole.target?.digest ?? '');
  const left = [...new Set(index?.images.values())].flatMap((id) => (id === gone.id ? [] : (catalogue.byId(id) ?? [])));
  const candidates = left.map((image) => ({ image, platform: platformOf(image.config) }));
  return choosePlatform(candidates, hostPlatform())?.image ?? left[0];
}

function refuseUsed({ inUse }: RemoveContext, { id }: Image, force: boolean): void {
  const { running, stopped } = inUse(id);
  const user = running[0] ?? (force ? undefined : stopped[0]);
  if (user === undefined) return;
  const state = running.length > 0 ? 'running' : 'stopped';
  const how = running.length > 0 ? 'cannot be forced' : 'must be forced';
  throw conflict(
    `conflict: unable to delete ${shortId(id)} (${how}) - image is being used by ${state} container ${shortId(user)}`,
  );
}

/** A name that was given for the index leads to the heir from now on. */
function hand({ collection }: RemoveContext, reference: ImageReference, from: Image, to: Image): void {
  const index = collection.catalogue.indexOf(from.id, reference);
  if (index === undefined) return;
  if (reference.digest === undefined) collection.setTag(reference, to.id, index.digest);
  else collection.addDigest(reference, to.id);
}
