import { familiarString, type ImageReference, parseReference } from '../../spec/reference.ts';
import { conflict, kindOf } from '../../util/errors.ts';
import { shortId } from '../../util/id.ts';
import type { Events, Image } from '../engine.ts';
import { isIdPrefix } from './catalogue.ts';
import type { Collection } from './collection.ts';
import { emitImage } from './image-event.ts';

/** Ids of the containers made of an image. */
export interface Users {
  running: readonly string[];
  stopped: readonly string[];
}

export interface Removal {
  untagged: string[];
  deleted: string[];
}

export interface RemoveContext {
  readonly collection: Collection;
  readonly events: Events;
  readonly inUse: (imageId: string) => Users;
  /** A container is being made of it right now. */
  readonly pinned: (imageId: string) => boolean;
}

export interface RemoveOptions {
  readonly force: boolean;
  /** What it was committed on goes, too, when that has no name and nobody needs it. */
  readonly prune: boolean;
}

/** A removal under way: what it did so far. */
interface Work extends RemoveContext {
  readonly prune: boolean;
  readonly image: Image;
  /** Images that are here only with it, as other platforms under its names. */
  readonly companions: readonly string[];
  readonly result: Removal;
}

/**
 * Removes one name of an image, or the image when that was its last name or its id was given. Nothing awaits in here,
 * so no other request sees a half-removed image. The freed disk is the caller's to collect.
 *
 * @throws `not-found`; `conflict` in Docker's words (moby `daemon/images/image_delete.go`).
 */
export function removeImage(context: RemoveContext, ref: string, { force, prune }: RemoveOptions): Removal {
  const { catalogue } = context.collection;
  const image = catalogue.resolve(ref);
  const companions = catalogue.companions(image.id);
  const work: Work = { ...context, prune, image, companions, result: { untagged: [], deleted: [] } };
  if (isIdPrefix(image.id, ref)) removeById(work, force);
  else removeByName(work, ref, force);
  return work.result;
}

function removeById(work: Work, force: boolean): void {
  const references = work.collection.catalogue.references(work.image.id);
  if (isSingle(references)) {
    checkConflicts(work, { soft: !force, references: false });
    for (const reference of references) untag(work, reference);
  }
  deleteImage(work, force);
}

function removeByName(work: Work, ref: string, force: boolean): void {
  const { catalogue } = work.collection;
  const reference = parseReference(ref);
  if (!force && isSingle(catalogue.references(work.image.id))) {
    const users = [work.image.id, ...work.companions].map(work.inUse);
    const user = users.flatMap(({ running, stopped }) => [...running, ...stopped])[0];
    if (user !== undefined) {
      throw conflict(
        `conflict: unable to remove repository reference ${JSON.stringify(ref)} (must force) - ` +
          `container ${shortId(user)} is using its referenced image ${shortId(work.image.id)}`,
      );
    }
  }
  untag(work, reference.digest === undefined ? { name: reference.name, tag: reference.tag ?? 'latest' } : reference);
  if (reference.digest === undefined) untagDigests(work, reference.name);
  if (catalogue.references(work.image.id).length > 0) {
    deleteCompanions(work, force);
    return;
  }
  // The name is gone, which is what was asked for; an image in use then stays without one.
  deleteQuietly(work, force);
}

/** Digests of a repository go with its last tag. */
function untagDigests(work: Work, name: string): void {
  const own = work.collection.catalogue.references(work.image.id).filter((reference) => reference.name === name);
  if (own.some((reference) => reference.digest === undefined)) return;
  for (const reference of own) untag(work, reference, false);
}

function untag(work: Work, reference: ImageReference, announce = true): void {
  work.collection.removeReference(reference);
  work.result.untagged.push(familiarString(reference));
  if (announce) emitImage(work.events, 'untag', work.image.id, work.image.id, work.image);
}

function deleteImage(work: Work, force: boolean): void {
  const { id } = work.image;
  checkConflicts(work, { soft: !force, references: true });
  for (const reference of work.collection.catalogue.references(id)) untag(work, reference);
  const kept = work.pinned(id) || work.inUse(id).stopped.length > 0;
  const layers = work.collection.remove(id, kept);
  emitImage(work.events, 'delete', id, id, undefined);
  work.result.deleted.push(id, ...layers);
  deleteCompanions(work, force);
  if (work.prune) deleteParent(work);
}

/** Those that no other name leads to. One in use stays, as an image without a name. */
function deleteCompanions(work: Work, force: boolean): void {
  const { catalogue } = work.collection;
  for (const id of work.companions) {
    const image = catalogue.byId(id);
    if (image === undefined || catalogue.references(id).length > 0 || catalogue.allCompanions().has(id)) continue;
    deleteQuietly({ ...work, image, companions: [] }, force);
  }
}

function deleteQuietly(work: Work, force: boolean): void {
  try {
    deleteImage(work, force);
  } catch (error) {
    if (kindOf(error) !== 'conflict') throw error;
  }
}

/** An image that had no name and only this child. */
function deleteParent(work: Work): void {
  const { catalogue } = work.collection;
  const parent = work.image.parent === undefined ? undefined : catalogue.byId(work.image.parent);
  if (parent === undefined || catalogue.references(parent.id).length > 0) return;
  deleteQuietly({ ...work, image: parent, companions: [] }, false);
}

function checkConflicts(work: Work, mask: { soft: boolean; references: boolean }): void {
  const { id } = work.image;
  const refuse = (force: string, reason: string) =>
    conflict(`conflict: unable to delete ${shortId(id)} (${force}) - ${reason}`);
  if (work.collection.catalogue.children(id).length > 0) {
    throw refuse('cannot be forced', 'image has dependent child images');
  }
  const { running, stopped } = work.inUse(id);
  if (running[0] !== undefined) {
    throw refuse('cannot be forced', `image is being used by running container ${shortId(running[0])}`);
  }
  if (!mask.soft) return;
  if (mask.references && work.collection.catalogue.references(id).length > 0) {
    throw refuse('must be forced', 'image is referenced in multiple repositories');
  }
  if (stopped[0] !== undefined) {
    throw refuse('must be forced', `image is being used by stopped container ${shortId(stopped[0])}`);
  }
}

/** At most one tag, and digests of its repository only. */
export function isSingle(references: readonly ImageReference[]): boolean {
  if (references.length <= 1) return true;
  const tags = references.filter((reference) => reference.digest === undefined);
  return tags.length <= 1 && new Set(references.map((reference) => reference.name)).size === 1;
}
