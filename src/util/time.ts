import { invalid } from './errors.ts';

const PER_SECOND = 1_000_000_000n;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

let offset = performance.timeOrigin;
let last = 0n;

/**
 * Microseconds since the epoch. The clock of the process gives the part below a millisecond; it is set again when the clock
 * of the host has been.
 */
export function nowMicros(): number {
  const wall = Date.now();
  const now = performance.now();
  if (Math.abs(now + offset - wall) > 2) offset = wall - now;
  return Math.floor((now + offset) * 1000);
}

/** Who sets the host's clock back by more than this means it. */
const SET_BACK = PER_SECOND;

/** Nanoseconds since the epoch, rising with every call unless the host's clock is set back. */
export function nowNano(): bigint {
  const now = BigInt(nowMicros()) * 1000n;
  last = now > last || now < last - SET_BACK ? now : last + 1n;
  return last;
}

/** `2006-01-02T15:04:05.123456789Z` in UTC, always with nine digits, so that the texts sort as the times do. */
export function formatRfc3339NanoFixed(nanos: bigint): string {
  const fraction = ((nanos % PER_SECOND) + PER_SECOND) % PER_SECOND;
  const seconds = Number((nanos - fraction) / PER_SECOND);
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${String(fraction).padStart(9, '0')}Z`;
}

/** As Go's `time.RFC3339Nano`: without trailing zeros, and without the point when nothing is left. */
export function formatRfc3339Nano(nanos: bigint): string {
  return formatRfc3339NanoFixed(nanos).replace(/\.?0+Z$/, 'Z');
}

/** The current time as Docker writes it. */
export function nowRfc3339Nano(): string {
  return formatRfc3339Nano(nowNano());
}

/** Nanoseconds since the epoch; the zero time of Docker comes out far below zero. @throws `invalid`. */
export function parseRfc3339Nano(text: string): bigint {
  const match = RFC3339.exec(text);
  const millis = match === null ? Number.NaN : Date.parse(`${text.slice(0, 19)}${match[8]}`);
  if (match === null || Number.isNaN(millis)) {
    throw invalid(`parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}"`);
  }
  return BigInt(millis) * 1_000_000n + BigInt((match[7] ?? '').padEnd(9, '0'));
}

/**
 * `seconds[.fraction]`, the form of `since` and `until` on the wire; undefined for an empty text.
 *
 * @throws `invalid` with the words of Go's parser.
 */
export function parseUnixTime(text: string): bigint | undefined {
  if (text === '') return undefined;
  const dot = text.indexOf('.');
  const whole = dot === -1 ? text : text.slice(0, dot);
  const fraction = dot === -1 ? '0' : text.slice(dot + 1);
  for (const part of [whole, fraction]) {
    if (!/^[+-]?\d+$/.test(part)) throw invalid(`strconv.ParseInt: parsing "${part}": invalid syntax`);
  }
  const digits = fraction.replace(/^[+-]/, '').slice(0, 9).padEnd(9, '0');
  return BigInt(whole) * PER_SECOND + BigInt(digits);
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: PER_SECOND,
  m: 60n * PER_SECOND,
  h: 3600n * PER_SECOND,
};

/** Nanoseconds of a Go duration such as `1h30m` or `-1.5s`; undefined when the text is none. */
export function parseGoDuration(text: string): bigint | undefined {
  const match = /^([+-])?((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (match === null) return undefined;
  let sum = 0n;
  for (const [, number = '', unit = ''] of (match[2] ?? '').matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [whole = '', fraction = ''] = number.split('.');
    const scale = UNITS[unit] ?? 0n;
    sum += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  return match[1] === '-' ? -sum : sum;
}

const LOCAL = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/i;

/**
 * A time as people give it: a Go duration before `now`, unix seconds, RFC 3339, or a part of it down to the date alone.
 * Without a zone it is in the zone of this process.
 *
 * @throws `invalid`.
 */
export function parseTime(text: string, now: bigint = nowNano()): bigint {
  const ago = text === '0' ? undefined : parseGoDuration(text);
  if (ago !== undefined) return now - ago;
  const match = LOCAL.exec(text);
  if (match !== null) {
    const [, date, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match;
    const millis = Date.parse(`${date}T${hour}:${minute}:${second}${zone.toUpperCase()}`);
    if (!Number.isNaN(millis)) return BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  }
  const unix = /^-?\d+(\.\d+)?$/.test(text) ? parseUnixTime(text) : undefined;
  if (unix === undefined) throw invalid(`failed to parse value as time or duration: "${text}"`);
  return unix;
}
