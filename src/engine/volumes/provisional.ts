import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifExists } from '../../util/files.ts';

/**
 * In the volume's directory, beside its data. The mark is there before the volume's row, and goes after the container's row is there; it
 * comes again before that row goes and takes the volume along.
 */
const markIn = (dir: string): string => join(dir, '_provisional');

/** Says that a volume goes with the container it is made for, should that one not come to be. */
export async function markProvisional(dir: string): Promise<void> {
  await writeFile(markIn(dir), '');
}

export async function isProvisional(dir: string): Promise<boolean> {
  return (await ifExists(() => access(markIn(dir)).then(() => true))) ?? false;
}

export async function endProvisional(dir: string): Promise<void> {
  await rm(markIn(dir), { force: true });
}
