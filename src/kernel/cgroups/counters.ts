import { rawNumber } from '../../util/raw-number.ts';
import type { Count } from './usage.ts';

/** The digits of a counter as a number, exact whatever its size. */
export function count(digits: string): Count {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : rawNumber(digits.trim());
}

/** The only number of a file; 0 when there is none. */
export function single(text: string | undefined): number {
  const number = Number(text);
  return Number.isFinite(number) ? number : 0;
}

/** Lines of a name and a number. */
export function keyed(text: string): Record<string, Count> {
  const pairs = text.split('\n').map((line) => line.split(' ', 2));
  return Object.fromEntries(pairs.flatMap(([name, digits]) => (name && digits ? [[name, count(digits)]] : [])));
}

/** One of such lines; 0 when it is not there. */
export function named(values: Readonly<Record<string, Count>>, name: string): number {
  const value = values[name];
  return typeof value === 'number' ? value : 0;
}
