import { access, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifExists } from '../../util/files.ts';

/**
 * Beside the volume's data. The mark is there before the volume's row, and goes after the container's row is there; it comes again before
 * that row goes and takes the volume along.
 */
const markOf = (mountpoint: string): string => join(dirname(mountpoint), '_provisional');

/** Says that a volume goes with the container it is made for, should that one not come to be. */
export async function markProvisional(mountpoint: string): Promise<void> {
  await writeFile(markOf(mountpoint), '');
}

export async function isProvisional(mountpoint: string): Promise<boolean> {
  return (await ifExists(() => access(markOf(mountpoint)).then(() => true))) ?? false;
}

export async function endProvisional(mountpoint: string): Promise<void> {
  await rm(markOf(mountpoint), { force: true });
}
