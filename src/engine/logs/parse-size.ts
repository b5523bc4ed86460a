import { invalid } from '../../util/errors.ts';

/** Bytes of a size such as `10m` or `1.5GB`; `unit` is 1000 or 1024. @throws `invalid`. */
export function parseSize(text: string, unit: number): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(text);
  if (match === null) throw invalid(`invalid size: '${text}'`);
  const power = match[2] === undefined ? 0 : 'kmgtp'.indexOf(match[2].toLowerCase()) + 1;
  return Math.floor(Number(match[1]) * unit ** power);
}
