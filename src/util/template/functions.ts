import { queryEscape } from '../query-escape.ts';
import { goJson, goPrint, goQuote } from './go-print.ts';

/** A function a template may call; throws with the reason only, the caller adds where. */
export type TemplateFunction = (...args: unknown[]) => unknown;

export type Functions = Readonly<Record<string, TemplateFunction>>;

/** Go's idea of true: not the zero value, not empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

const text = (value: unknown) => (typeof value === 'string' ? value : goPrint(value));

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  const numeric = (value: unknown) => typeof value === 'number' || typeof value === 'bigint';
  if (numeric(a) && numeric(b)) return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0;
  throw new Error('incompatible types for comparison');
}

function equal(a: unknown, b: unknown): boolean {
  if (a === null || b === null || a === undefined || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a === 'boolean' && typeof b === 'boolean') return a === b;
  return compare(a, b) === 0;
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let item = value;
  for (const key of keys) {
    if (item === null || item === undefined) throw new Error('index of untyped nil');
    if (Array.isArray(item) || typeof item === 'string') {
      const at = Number(key);
      if (typeof key === 'string' || !Number.isInteger(at))
        throw new Error(`cannot index slice/array with type string`);
      if (at < 0 || at >= item.length) throw new Error(`error calling index: index out of range: ${at}`);
      item = typeof item === 'string' ? item.charCodeAt(at) : item[at];
    } else if (typeof item === 'object') {
      // A missing key gives the zero value of the map's elements, which for maps of strings is "".
      item = (item as Record<string, unknown>)[String(key)] ?? '';
    } else throw new Error(`can't index item of type ${typeof item}`);
  }
  return item;
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) throw new Error(`can't slice item of type ${typeof value}`);
  const end = to === undefined ? value.length : Number(to);
  if (Number(from) > value.length || end > value.length) throw new Error(`index out of range: ${end}`);
  return value.slice(Number(from), end);
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new Error(`len of type ${value === null || value === undefined ? 'nil' : typeof value}`);
}

/** `printf` for the verbs people use on strings, numbers and whole values. */
function printf(format: unknown, ...args: unknown[]): string {
  let next = 0;
  return text(format).replace(/%(-?)(0?)(\d*)(?:\.(\d+))?([sdvqtfgxX%])/g, (_all, left, zero, width, digits, verb) => {
    if (verb === '%') return '%';
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const shown = formatVerb(String(verb), args[next++], digits === undefined ? undefined : Number(digits));
    if (left === '-') return shown.padEnd(Number(width));
    return shown.padStart(Number(width), zero === '0' ? '0' : ' ');
  });
}

function formatVerb(verb: string, value: unknown, digits: number | undefined): string {
  if (verb === 'q') return goQuote(text(value));
  if (verb === 'f') return Number(value).toFixed(digits ?? 6);
  if (verb === 'x' && typeof value === 'string') return Buffer.from(value).toString('hex');
  if (verb === 'x') return Number(value).toString(16);
  if (verb === 'X') return Number(value).toString(16).toUpperCase();
  const shown = text(value);
  return verb === 's' && digits !== undefined ? shown.slice(0, digits) : shown;
}

const upperFirst = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

const lastOr = (args: unknown[], stop: (value: unknown) => boolean) => args.find(stop) ?? args.at(-1);

/** Go's own functions and those the docker command line adds. `join` takes any list, as Docker's does. */
export const FUNCTIONS: Functions = {
  json: (value) => goJson(value ?? null, false),
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) => (Array.isArray(values) ? values : []).map(text).join(text(separator)),
  title: (value) => text(value).replace(/\p{L}[\p{L}\p{N}_']*/gu, upperFirst),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    value === '' ? '' : `${' '.repeat(Number(before))}${text(value)}${' '.repeat(Number(after))}`,
  truncate: (value, size) => text(value).slice(0, Number(size)),
  println: (...args) => `${args.map(text).join(' ')}\n`,
  print: (...args) => args.map(text).join(args.some((arg) => typeof arg === 'string') ? '' : ' '),
  printf,
  len: length,
  index,
  slice,
  eq: (first, ...rest) => rest.some((one) => equal(first, one)),
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  not: (value) => !isTrue(value),
  and: (...args) => lastOr(args, (value) => !isTrue(value)),
  or: (...args) => lastOr(args, isTrue),
  html: (value) => text(value).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  urlquery: (value) => queryEscape(text(value)),
};
