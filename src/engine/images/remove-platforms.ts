import type { Platform } from '../../spec/image.ts';
import type { ImageReference } from '../../spec/reference.ts';
import { conflict } from '../../util/errors.ts';
import { shortId } from '../../util/id.ts';
import type { Image } from '../engine.ts';
import type { Catalogue } from './catalogue.ts';
import type { Collection } from './collection.ts';
import type { HeldIndex } from './held-index.ts';
import { hostPlatform } from './host-platform.ts';
import { imageFor } from './image-for.ts';
import { choosePlatform, platformName, platformOf } from './platform-choice.ts';
import { isSingle, type Removal, type RemoveContext, type RemoveOptions, removeImage } from './remove.ts';

/** An image to be taken from a name. */
interface Going {
  readonly image: Image;
  readonly platform: Platform;
}

/**
 * Removes of a name the images for some platforms: they leave its index, and are deleted unless other names lead to them or to other indexes with
 * them. When the name led to one of them, it leads to another that is left; the last one takes the name with it.
 *
 * @throws `not-found`; `conflict`; nothing is removed then.
 */
export function removePlatforms(
  context: RemoveContext,
  ref: string,
  options: RemoveOptions & { readonly platforms: readonly Platform[] },
): Removal {
  const { collection } = context;
  const whole = collection.catalogue.resolve(ref);
  const index = collection.catalogue.held(whole.target?.digest ?? '');
  const found = options.platforms.map((platform): [string, Going] => {
    const image = imageFor(collection, ref, platform);
    return [image.id, { image, platform }];
  });
  const going = [...new Map(found).values()];
  for (const one of going) refuseUsed(context, one, { whole, index, going, force: options.force });
  const removals = going.map(({ image }) => removeOne(context, ref, index?.digest, image, options));
  return { untagged: removals.flatMap((one) => one.untagged), deleted: removals.flatMap((one) => one.deleted) };
}

function removeOne(
  context: RemoveContext,
  ref: string,
  digest: string | undefined,
  image: Image,
  options: RemoveOptions,
): Removal {
  const { collection } = context;
  const { catalogue } = collection;
  const index = catalogue.held(digest ?? '');
  const heir = index === undefined ? undefined : heirOf(catalogue, index, image);
  if (index === undefined || heir === undefined) return removeImage(context, ref, options);
  for (const reference of namesFor(catalogue, image.id, index)) hand(collection, reference, index, heir);
  const manifests = [...index.images].flatMap(([manifest, id]) => (id === image.id ? [manifest] : []));
  if (standsElsewhere(catalogue, image, index)) {
    collection.leaveIndex(index.digest, image.id);
    return { untagged: [], deleted: [] };
  }
  const { untagged, deleted } = removeImage(context, image.id, options);
  return { untagged, deleted: [...manifests, ...deleted] };
}

/** Whom the names go to: the image for this host, else the first of the index that is left. */
function heirOf(catalogue: Catalogue, { images }: HeldIndex, gone: Image): Image | undefined {
  const left = [...new Set(images.values())].flatMap((id) => (id === gone.id ? [] : (catalogue.byId(id) ?? [])));
  const candidates = left.map((image) => ({ image, platform: platformOf(image.config) }));
  return choosePlatform(candidates, hostPlatform())?.image ?? left[0];
}

/** The names of an image that were given for an index. */
const namesFor = (catalogue: Catalogue, id: string, { digest }: HeldIndex): ImageReference[] =>
  catalogue.references(id).filter((reference) => catalogue.indexOf(id, reference)?.digest === digest);

/** Whether something else than an index leads to an image. */
const standsElsewhere = (catalogue: Catalogue, image: Image, index: HeldIndex): boolean =>
  namesFor(catalogue, image.id, index).length < catalogue.references(image.id).length ||
  catalogue.indexesWith(image.id).some((digest) => digest !== index.digest);

/** Whether an image will be there yet when it is taken from the name, the last of the index together with that. */
function stays(
  catalogue: Catalogue,
  image: Image,
  { index, going }: { index: HeldIndex | undefined; going: readonly Going[] },
): boolean {
  if (index === undefined) return !isSingle(catalogue.references(image.id));
  if (standsElsewhere(catalogue, image, index)) return true;
  const all = [...new Set(index.images.values())];
  const isLast = image === going.at(-1)?.image && going.length === all.length;
  return isLast && !isSingle(all.flatMap((id) => namesFor(catalogue, id, index)));
}

/** @throws `conflict`. Source for the words: moby `daemon/containerd/image_delete.go`. */
function refuseUsed(
  { collection: { catalogue }, inUse }: RemoveContext,
  { image, platform }: Going,
  removal: { whole: Image; index: HeldIndex | undefined; going: readonly Going[]; force: boolean },
): void {
  if (stays(catalogue, image, removal)) return;
  const refuse = (how: string, why: string) => {
    const text = `failed to delete platform ${platformName(platform)} for image ${removal.whole.id}`;
    return conflict(`${text}: conflict: unable to delete ${shortId(image.id)} (${how}) - ${why}`);
  };
  if (catalogue.children(image.id).length > 0) throw refuse('cannot be forced', 'image has dependent child images');
  const { running, stopped } = inUse(image.id);
  const used = (state: string, user: string) => `image is being used by ${state} container ${shortId(user)}`;
  if (running[0] !== undefined) throw refuse('cannot be forced', used('running', running[0]));
  if (stopped[0] !== undefined && !removal.force) throw refuse('must be forced', used('stopped', stopped[0]));
}

/** A name that was given for the index leads to the heir from now on. */
function hand(collection: Collection, reference: ImageReference, { digest }: HeldIndex, to: Image): void {
  if (reference.digest === undefined) collection.setTag(reference, to.id, digest);
  else collection.addDigest(reference, to.id);
}
