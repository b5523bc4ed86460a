/** Readers of flag values. Each throws an Error whose message is the reason Docker gives. */

const INT = /^[+-]?\d+$/;

/** A whole number within 64 bits, and within what JSON carries exactly. */
export function integer(raw: string): number {
  if (!INT.test(raw)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(raw)}: invalid syntax`);
  const value = Number(raw);
  if (!Number.isSafeInteger(value))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(raw)}: value out of range`);
  return value;
}

export function uint16(raw: string): number {
  if (!/^\d+$/.test(raw)) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(raw)}: invalid syntax`);
  const value = Number(raw);
  if (value > 65_535) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(raw)}: value out of range`);
  return value;
}

const POWERS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** A size in bytes: `512m`, `1.5g`, `64KiB`; units are powers of 1024. */
export function bytes(raw: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?(?:([kmgtp])(?:i?b)?|(b))?$/i.exec(raw.trim());
  const power = POWERS[(match?.[2] ?? '').toLowerCase()];
  if (match === null || power === undefined) throw new Error(`invalid size: '${raw}'`);
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** As `bytes`, with -1 for no limit. */
export const bytesOrUnlimited = (raw: string): number => (raw === '-1' ? -1 : bytes(raw));

/** CPUs as a decimal, in billionths of one. */
export function nanoCpus(raw: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(raw))
    throw new Error(`failed to parse ${raw} as a rational number`);
  const nanos = Math.round(Number(raw) * 1e9 * 1e3) / 1e3;
  if (!Number.isInteger(nanos)) throw new Error('value is too precise');
  return nanos;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A Go duration such as `1m30s`, in nanoseconds. */
export function duration(raw: string): number {
  const quoted = JSON.stringify(raw);
  const match = /^([+-]?)(.*)$/s.exec(raw);
  const [sign, text] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (text === '0') return 0;
  let total = 0;
  let rest = text;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (part === null) throw new Error(`time: invalid duration ${quoted}`);
    const unit = part[2] ?? '';
    if (unit === '') throw new Error(`time: missing unit in duration ${quoted}`);
    const size = UNITS[unit];
    if (size === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(part[1]) * size;
    rest = rest.slice(part[0].length);
  }
  if (text === '') throw new Error(`time: invalid duration ${quoted}`);
  return (sign === '-' ? -1 : 1) * Math.round(total);
}

/** `name=value` of `--filter`; the name is lower-cased, as Docker does. */
export function filter(raw: string): { name: string; value: string } {
  const at = raw.indexOf('=');
  if (at < 0) throw new Error('bad format of filter (expected name=value)');
  return { name: raw.slice(0, at).trim().toLowerCase(), value: raw.slice(at + 1).trim() };
}

/** Joins `--filter` values into the map the API takes. */
export function filterMap(filters: readonly { name: string; value: string }[]): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const { name, value } of filters) {
    map[name] ??= [];
    map[name].push(value);
  }
  return map;
}
