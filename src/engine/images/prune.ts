import { familiarString } from '../../spec/reference.ts';
import { kindOf } from '../../util/errors.ts';
import type { Filters, Image } from '../engine.ts';
import { checkFilters, filterFlag, matchPruneLabels } from '../filters.ts';
import { createdAt } from './list.ts';
import { type Removal, type RemoveContext, removeImage } from './remove.ts';
import { untilFilter } from './until-filter.ts';

/** Filters of a prune that concern images only. */
const PARTLESS = ['label', 'label!', 'until'];
const PRUNE_FILTERS = ['dangling', ...PARTLESS];

/** Removes images nobody uses: those without a name, or with `dangling=false` all; and parts of blobs whose pull broke off. @throws `invalid`. */
export function pruneImages(context: RemoveContext, filters: Filters): Removal & { reclaimed: number } {
  checkFilters(filters, PRUNE_FILTERS);
  const dangling = filterFlag(filters, 'dangling', true);
  const until = untilFilter(filters);
  const { catalogue, store } = context.collection;
  // They go with the image whose name leads to them, too.
  const companions = catalogue.allCompanions();
  const wanted = catalogue
    .all()
    .filter((image) => until === undefined || createdAt(image) <= until)
    .filter((image) => matchPruneLabels(filters, image.config.config.Labels))
    .filter((image) => !dangling || image.repoTags.length === 0)
    // What others were committed on is theirs, names included.
    .filter(({ id }) => catalogue.children(id).length === 0 && !companions.has(id));
  const sizes = new Map<string, number>();
  for (const id of catalogue.all().flatMap((image) => image.chainIds)) sizes.set(id, store.layers.find(id)?.size ?? 0);
  const removals = wanted.flatMap((image) => namesOf(context, image).flatMap((name) => tryRemove(context, name)));
  const untagged = removals.flatMap((removal) => removal.untagged);
  const deleted = removals.flatMap((removal) => removal.deleted);
  // They have neither label nor time of making.
  const parts = PARTLESS.some((filter) => filters.has(filter)) ? 0 : store.discardParts();
  const reclaimed = deleted.reduce((sum, id) => sum + (sizes.get(id) ?? 0), parts);
  context.events.emit({
    type: 'image',
    action: 'prune',
    actor: { id: '', attributes: { reclaimed: String(reclaimed) } },
  });
  return { untagged, deleted, reclaimed };
}

function namesOf(context: RemoveContext, image: Image): string[] {
  const references = context.collection.catalogue.references(image.id);
  return references.length === 0 ? [image.id] : references.map(familiarString);
}

/** An image in use stays; that is no error. */
function tryRemove(context: RemoveContext, name: string): Removal[] {
  try {
    return [removeImage(context, name, { force: false, prune: true })];
  } catch (error) {
    if (kindOf(error) === 'conflict' || kindOf(error) === 'not-found') return [];
    throw error;
  }
}
