import type { EngineEvent, Filters } from '../engine.ts';
import { matchExact, matchLabels, matchPrefix, valuesOf } from '../filters.ts';

/** Actions with a tail, `exec_start: ls -l`: a filter for one of these names matches by its beginning. */
const OPEN_ENDED = ['health_status', 'exec_create', 'exec_start'];

/** Filters that name an object of a type, matched by the beginning of its id or name. */
const BY_NAME = ['daemon', 'container', 'plugin', 'volume', 'network', 'node', 'service', 'secret', 'config'];

/** True when an event passes all filters, as dockerd reads them; it ignores keys it does not know. */
export function matchEvent(filters: Filters, { type, action, actor }: EngineEvent): boolean {
  const fuzzy = valuesOf(filters, 'event').some((value) => OPEN_ENDED.includes(value));
  return (
    (fuzzy ? matchPrefix : matchExact)(filters, 'event', action) &&
    matchExact(filters, 'type', type) &&
    matchExact(filters, 'scope', 'local') &&
    BY_NAME.every((key) => matchName(filters, key, actor)) &&
    matchImage(filters, type, actor) &&
    matchLabels(filters, 'label', actor.attributes)
  );
}

function matchName(filters: Filters, key: string, { id, attributes }: EngineEvent['actor']): boolean {
  return matchPrefix(filters, key, id) || matchPrefix(filters, key, attributes['name'] ?? '');
}

/** An image filter also finds the events of containers that run it; it may leave out the tag. */
function matchImage(filters: Filters, type: EngineEvent['type'], { id, attributes }: EngineEvent['actor']): boolean {
  const name = attributes[type === 'image' ? 'name' : 'image'] ?? '';
  return [id, name, withoutTag(id), withoutTag(name)].some((candidate) => matchExact(filters, 'image', candidate));
}

function withoutTag(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}
