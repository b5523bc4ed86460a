import { familiarName, familiarString, type ImageReference } from '../../spec/reference.ts';
import type { Filters, Image } from '../engine.ts';
import { checkFilters, filterFlag, matchLabels, valuesOf } from '../filters.ts';
import type { Catalogue } from './catalogue.ts';
import { globToRegExp } from './glob.ts';
import { untilInstants } from './until-filter.ts';

const LIST_FILTERS = ['dangling', 'label', 'before', 'since', 'reference', 'until'];

/** When the image says it was made, in milliseconds; an image that does not say was made at the zero time. */
export function createdAt(image: Image): number {
  const time = Date.parse(image.config.created);
  return Number.isNaN(time) ? Date.parse('0001-01-01T00:00:00Z') : time;
}

/**
 * Images newest first; one without a name that others were committed on, or that stands in the index of another's name, only with `all`. `reference` also narrows the names shown.
 *
 * @throws `invalid`; `not-found` for `before`, `since`.
 */
export function listImages(catalogue: Catalogue, filters: Filters, all: boolean): Image[] {
  checkFilters(filters, LIST_FILTERS);
  const dangling = filters.has('dangling') ? filterFlag(filters, 'dangling', false) : undefined;
  const patterns = valuesOf(filters, 'reference').map(globToRegExp);
  const labelled: Test = (image) => matchLabels(filters, 'label', image.config.config.Labels);
  const tests = [...timeTests(catalogue, filters), labelled];
  const companions = catalogue.allCompanions();
  return catalogue
    .all()
    .filter((image) => tests.every((test) => test(image)))
    .filter(({ id }) => all || !companions.has(id))
    .filter((image) => all || hasName(image) || catalogue.children(image.id).length === 0)
    .flatMap((image) => (patterns.length === 0 ? [image] : narrowed(catalogue, image, patterns)))
    .filter(({ id, repoTags }) => dangling === undefined || dangling === (repoTags.length === 0 && !companions.has(id)))
    .toSorted((a, b) => createdAt(b) - createdAt(a));
}

const hasName = ({ repoTags, repoDigests }: Image): boolean => repoTags.length + repoDigests.length > 0;

type Test = (image: Image) => boolean;

/** As in Docker the last value of a key wins, and of several `until` the earliest. */
function timeTests(catalogue: Catalogue, filters: Filters): Test[] {
  const tests: Test[] = [];
  const before = valuesOf(filters, 'before').map((ref) => createdAt(catalogue.resolve(ref)));
  const since = valuesOf(filters, 'since').map((ref) => createdAt(catalogue.resolve(ref)));
  const until = untilInstants(filters);
  const [last, first] = [before.at(-1), since.at(-1)];
  if (last !== undefined) tests.push((image) => createdAt(image) < last);
  if (first !== undefined) tests.push((image) => createdAt(image) > first);
  if (until.length > 0) tests.push((image) => createdAt(image) <= Math.min(...until));
  return tests;
}

/** The image with the names that match only; nothing when none does. */
function narrowed(catalogue: Catalogue, image: Image, patterns: readonly RegExp[]): Image[] {
  const matches = (ref: ImageReference): boolean =>
    patterns.some((pattern) => pattern.test(familiarString(ref)) || pattern.test(familiarName(ref.name)));
  const names = catalogue.references(image.id).filter(matches);
  if (names.length === 0) return [];
  const repoTags = names.filter((ref) => ref.digest === undefined).map(familiarString);
  const repoDigests = names.filter((ref) => ref.digest !== undefined).map(familiarString);
  return [{ ...image, repoTags, repoDigests }];
}
