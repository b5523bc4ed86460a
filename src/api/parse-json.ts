import { invalid, messageOf } from '../util/errors.ts';
import { goJsonFault } from './go-json-fault.ts';
import { checkDepth } from './json-depth.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** The largest number below 2^63 that JavaScript has. */
const LARGEST = 2 ** 63 - 2 ** 10;

/**
 * A number as Go's decoder takes it. Whole ones have 64 bits; those that JavaScript cannot hold lose their last digits, and stay
 * within 64 bits when they are told again. What is none for Go, such as 1e3, is a symbol named as it was written: it fits no
 * schema, so it is refused in its place.
 */
function goNumber(number: number, source: string): number | symbol {
  if (!/^-?\d+$/.test(source)) return Symbol(source);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  const exact = BigInt(source);
  if (exact > MAX_INT64 || exact < MIN_INT64) return Symbol(source);
  return Math.max(-LARGEST, Math.min(number, LARGEST));
}

const revive = (_: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' ? goNumber(value, context?.source ?? String(value)) : value;

/** Reads a JSON text, its numbers as Go reads them. @throws `invalid`: malformed, nested too deep, or more than one value. */
export function parseJson(text: string): unknown {
  checkDepth(text);
  try {
    return JSON.parse(text, revive);
  } catch (error) {
    const fault = goJsonFault(text) ?? messageOf(error);
    if (fault.endsWith('after top-level value')) throw invalid('unexpected content after JSON');
    throw invalid(`invalid JSON: ${fault}`);
  }
}
