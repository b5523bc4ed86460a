import { invalid } from '../../util/errors.ts';
import { parseTime } from '../../util/time.ts';
import type { Filters } from '../engine.ts';
import { valuesOf } from '../filters.ts';

/** Each `until`, a time or a duration back from `now`; all in milliseconds since the epoch. @throws `invalid`. */
export function untilInstants(filters: Filters, now = Date.now()): number[] {
  return valuesOf(filters, 'until').map((value) => Number(parseTime(value, BigInt(now) * 1_000_000n) / 1_000_000n));
}

/** The one `until` of a prune. @throws `invalid`, also for several. */
export function untilFilter(filters: Filters, now = Date.now()): number | undefined {
  const [until, ...more] = untilInstants(filters, now);
  if (more.length > 0) throw invalid('more than one until filter specified');
  return until;
}
