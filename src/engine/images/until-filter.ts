import { invalid } from '../../util/errors.ts';
import { parseTime } from '../../util/time.ts';
import type { Filters } from '../engine.ts';
import { valuesOf } from '../filters.ts';

/** The one `until`, a time or a duration back from `now`, both in milliseconds since the epoch. @throws `invalid`. */
export function untilFilter(filters: Filters, now = Date.now()): number | undefined {
  const [value, ...more] = valuesOf(filters, 'until');
  if (value === undefined) return undefined;
  if (more.length > 0) throw invalid('more than one until filter specified');
  return Number(parseTime(value, BigInt(now) * 1_000_000n) / 1_000_000n);
}
