import { invalid } from '../../util/errors.ts';
import type { Filters } from '../engine.ts';

/** The values of a filter; none when it was not given. */
export const valuesOf = (filters: Filters, key: string): readonly string[] => filters.get(key) ?? [];

/** @throws `invalid` naming the first key that is not among `known`. */
export function checkKeys(filters: Filters, known: readonly string[]): void {
  for (const key of filters.keys()) if (!known.includes(key)) throw invalid(`invalid filter '${key}'`);
}

/** A boolean filter; undefined when it was not given. @throws `invalid`. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = valuesOf(filters, key);
  if (values.length === 0) return undefined;
  const yes = values.some((value) => value === '1' || value === 'true');
  const no = values.some((value) => value === '0' || value === 'false');
  if (yes === no) throw invalid(`invalid filter '${key}=[${values.join(' ')}]'`);
  return yes;
}

/** Every wanted label, `key` or `key=value`, is there. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((label) => {
    const [key = '', ...rest] = label.split('=');
    return rest.length === 0 ? Object.hasOwn(labels, key) : labels[key] === rest.join('=');
  });
}

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

/** Milliseconds of a Go duration such as `1h30m`; undefined when `text` is not one. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (!DURATION.test(body)) return undefined;
  const parts = body.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return sign * [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

/** The one `until`: a Unix time, an RFC 3339 time or date, or a duration back from now; in milliseconds. @throws `invalid`. */
export function untilFilter(filters: Filters, now = Date.now()): number | undefined {
  const [value, ...more] = valuesOf(filters, 'until');
  if (value === undefined) return undefined;
  if (more.length > 0) throw invalid('more than one until filter specified');
  const ago = parseDuration(value);
  if (ago !== undefined && value !== '0') return now - ago;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return time;
}
