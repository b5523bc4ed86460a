import { invalid } from '../util/errors.ts';
import { goRegExp } from '../util/go-regexp.ts';
import type { Filters } from './engine.ts';

/** The error for a filter that is unknown, or for a value it cannot take. */
export function invalidFilter(key: string, value?: string | readonly string[]): Error {
  if (value === undefined) return invalid(`invalid filter '${key}'`);
  return invalid(`invalid filter '${key}=${typeof value === 'string' ? value : `[${value.join(' ')}]`}'`);
}

function parseValues(values: unknown): string[] {
  if (values === null) return [];
  if (Array.isArray(values)) {
    if (values.every((value) => typeof value === 'string')) return [...new Set(values)];
  } else if (typeof values === 'object') {
    const entries = Object.entries(values);
    if (entries.every(([, on]) => typeof on === 'boolean')) return entries.map(([value]) => value);
  }
  throw invalid('invalid filter');
}

/**
 * Parses the `filters` of a query: JSON, `{"key":["value"]}` or the older `{"key":{"value":true}}`. As in Docker the older
 * form counts the values with `false` too.
 *
 * @param accepted the keys a call knows; undefined: any.
 * @throws `invalid` `invalid filter 'x'`.
 */
export function parseFilters(json: string, accepted?: readonly string[]): Filters {
  const filters = new Map<string, readonly string[]>();
  if (json === '') return filters;
  for (const [key, values] of Object.entries(parseObject(json))) filters.set(key, parseValues(values));
  if (accepted !== undefined) checkFilters(filters, accepted);
  return filters;
}

function parseObject(json: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw invalid('invalid filter', error);
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalid('invalid filter');
  return parsed;
}

/** @throws `invalid` for the first key that is not accepted. */
export function checkFilters(filters: Filters, accepted: readonly string[]): void {
  for (const key of filters.keys()) if (!accepted.includes(key)) throw invalidFilter(key);
}

/** The values of a key; empty when it is not used. */
export function valuesOf(filters: Filters, key: string): readonly string[] {
  return filters.get(key) ?? [];
}

/** True when the key is not used or one of its values is `value`. */
export function matchExact(filters: Filters, key: string, value: string): boolean {
  const values = valuesOf(filters, key);
  return values.length === 0 || values.includes(value);
}

/** True when the key is not used or one of its values is a prefix of `value`. */
export function matchPrefix(filters: Filters, key: string, value: string): boolean {
  const values = valuesOf(filters, key);
  return values.length === 0 || values.some((prefix) => value.startsWith(prefix));
}

/** True when the key is not used, or one of its values equals `value` or matches it as a regular expression. */
export function matchPattern(filters: Filters, key: string, value: string): boolean {
  const values = valuesOf(filters, key);
  return values.length === 0 || values.includes(value) || values.some((pattern) => matches(pattern, value));
}

/** A pattern that is none matches nothing, as in Docker. */
function matches(pattern: string, value: string): boolean {
  return goRegExp(pattern)?.test(value) === true;
}

/** True when `labels` has every `name` or `name=value` among the values of the key. */
export function matchLabels(filters: Filters, key: string, labels: Readonly<Record<string, string>>): boolean {
  return valuesOf(filters, key).every((wanted) => {
    const [name, value] = splitLabel(wanted);
    return Object.hasOwn(labels, name) && (value === undefined || labels[name] === value);
  });
}

/** For prune: `label` must match, and `label!` must not, when used. */
export function matchPruneLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  if (!matchLabels(filters, 'label', labels)) return false;
  return valuesOf(filters, 'label!').length === 0 || !matchLabels(filters, 'label!', labels);
}

function splitLabel(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * The value of a yes-or-no filter.
 *
 * @throws `invalid` when its values are neither, or both.
 */
export function filterFlag(filters: Filters, key: string, fallback: boolean): boolean {
  const values = filters.get(key);
  if (values === undefined) return fallback;
  const yes = values.includes('1') || values.includes('true');
  const no = values.includes('0') || values.includes('false');
  if (yes === no) throw invalidFilter(key, values);
  return yes;
}
