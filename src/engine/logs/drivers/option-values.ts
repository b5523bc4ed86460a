import { invalid } from '../../../util/errors.ts';
import { parseGoDuration } from '../../../util/time.ts';

/** A boolean option in Go's forms; `otherwise` when it is not given. @throws `invalid`. */
export function boolOption(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined || text === '') return otherwise;
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw invalid(`strconv.ParseBool: parsing "${text}": invalid syntax`);
}

/** A duration option such as `1s500ms`, in milliseconds. @throws `invalid`. */
export function durationOption(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  const nanos = parseGoDuration(text);
  if (nanos === undefined) throw invalid(`time: invalid duration "${text}"`);
  return Number(nanos / 1_000_000n);
}

/** A count. @throws `invalid`. */
export function countOption(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^\d+$/.test(text)) throw invalid(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  return Number(text);
}
