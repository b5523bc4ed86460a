import { invalid, messageOf } from '../../../util/errors.ts';
import { goBool } from '../../../util/go-bool.ts';
import { parseGoDuration } from '../../../util/time.ts';

/** A boolean option in Go's forms; `otherwise` when it is not given. @throws `invalid`. */
export function boolOption(text: string | undefined, otherwise: boolean): boolean {
  return text === undefined || text === '' ? otherwise : parseBool(text);
}

/** A boolean in Go's forms. @throws `invalid`. */
export function parseBool(text: string): boolean {
  const value = goBool(text);
  if (value === undefined) throw invalid(`strconv.ParseBool: parsing "${text}": invalid syntax`);
  return value;
}

/** A duration option such as `1s500ms`, in milliseconds. @throws `invalid`. */
export function durationOption(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const nanos = parseGoDuration(text);
  if (nanos !== undefined) return Number(nanos / 1_000_000n);
  const what = /^[+-]?\d+\.?\d*$/.test(text) ? 'missing unit in' : 'invalid';
  throw invalid(`time: ${what} duration "${text}"`);
}

/** A count. @throws `invalid`. */
export function countOption(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^\d+$/.test(text)) throw invalid(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  return Number(text);
}

/** Says of what fails whose value it was. @throws `invalid`. */
export function named<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(`${what}: ${messageOf(error)}`, error);
  }
}
