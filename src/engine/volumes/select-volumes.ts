import type { Filters, VolumeView } from '../engine.ts';
import { filterFlag, matchExact, matchLabels, matchPattern } from '../filters.ts';

/** Docker's filters for volumes: keys are ANDed. @throws `invalid` for a value a key cannot take. */
export function selectVolumes(
  volumes: readonly VolumeView[],
  filters: Filters,
  inUse: (name: string) => boolean,
): VolumeView[] {
  const dangling = filters.has('dangling') ? filterFlag(filters, 'dangling', false) : undefined;
  return volumes.filter(
    ({ name, labels, driver }) =>
      matchPattern(filters, 'name', name) &&
      matchExact(filters, 'driver', driver) &&
      matchLabels(filters, 'label', labels ?? {}) &&
      (dangling === undefined || dangling !== inUse(name)),
  );
}
