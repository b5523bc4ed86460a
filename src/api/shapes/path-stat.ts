import type { PathStat } from '../../engine/engine.ts';
import { formatRfc3339Nano } from '../../util/time.ts';

/** Go's `fs.FileMode` keeps types and special bits where no Unix does. */
const TYPES: Readonly<Record<number, number>> = {
  0o040000: 2 ** 31,
  0o120000: 2 ** 27,
  0o060000: 2 ** 26,
  0o020000: 2 ** 26 + 2 ** 21,
  0o010000: 2 ** 25,
  0o140000: 2 ** 24,
};
const SPECIAL: readonly (readonly [unix: number, go: number])[] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
];

/** A mode of `stat` as Go writes it. */
export function goFileMode(mode: number): number {
  const special = SPECIAL.reduce((sum, [unix, go]) => sum + ((mode & unix) === 0 ? 0 : go), 0);
  return (TYPES[mode & 0o170000] ?? 0) + special + (mode & 0o777);
}

/** The value of `X-Docker-Container-Path-Stat`. */
export function pathStatHeader({ name, size, mode, mtime, linkTarget }: PathStat): string {
  const told = { name, size, mode: goFileMode(mode), mtime: formatRfc3339Nano(mtime), linkTarget };
  return Buffer.from(JSON.stringify(told)).toString('base64');
}
