import { invalid } from '../util/errors.ts';

const FALSE = new Set(['', '0', 'no', 'false', 'none']);

/** The query string of a request, read the way Docker reads it. */
export interface Query {
  /** First value, or `''`. */
  text(name: string): string;
  all(name: string): string[];
  has(name: string): boolean;
  /** False for nothing, `0`, `no`, `false` and `none`; anything else is true. */
  flag(name: string, whenAbsent?: boolean): boolean;
  /** A whole number; undefined when absent or empty. @throws `invalid` with Go's text. */
  int(name: string): number | undefined;
  /** As `int`, but absent is an error too. */
  requiredInt(name: string): number;
  /** An instant in nanoseconds since the epoch: `seconds[.nanos]` or RFC 3339; undefined when absent or empty. */
  instant(name: string): bigint | undefined;
}

/** Of Go's 64 bits; beyond 2^53 the last digits are not kept. */
function atoi(value: string): number {
  if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
  const number = BigInt(value.replace('+', ''));
  if (BigInt.asIntN(64, number) !== number) {
    throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`);
  }
  return Number(number);
}

/** Nanoseconds since the epoch of `seconds[.fraction]` or an RFC 3339 time. @throws `invalid`. */
export function parseInstant(value: string): bigint {
  const unix = /^(-?\d{1,15})(?:\.(\d{1,9})\d*)?$/.exec(value);
  if (unix) return BigInt(unix[1] ?? 0) * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'));
  const iso = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const seconds = iso ? Date.parse(`${iso[1]}${iso[3]}`) / 1000 : Number.NaN;
  if (!iso || Number.isNaN(seconds))
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return BigInt(seconds) * 1_000_000_000n + BigInt((iso[2] ?? '').padEnd(9, '0'));
}

/** Reads a query string, without its question mark. @throws `invalid` for a percent sign that escapes nothing. */
export function readQuery(search: string): Query {
  const escape = /%(?![\da-f]{2}).{0,2}/i.exec(search);
  if (escape) throw invalid(`invalid URL escape ${JSON.stringify(escape[0])}`);
  const params = new URLSearchParams(search);
  const text = (name: string) => params.get(name) ?? '';
  return {
    text,
    all: (name) => params.getAll(name),
    has: (name) => params.has(name),
    flag: (name, whenAbsent = false) => (params.has(name) ? !FALSE.has(text(name).trim().toLowerCase()) : whenAbsent),
    int: (name) => (text(name) === '' ? undefined : atoi(text(name))),
    requiredInt: (name) => atoi(text(name)),
    instant: (name) => (text(name) === '' ? undefined : parseInstant(text(name))),
  };
}
