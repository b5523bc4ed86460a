import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where in a container's bundle is mounted what it gets parts of: volumes and images. */
export const partsOf = (bundle: string): string => join(bundle, 'parts');

/**
 * Makes that directory, for root of the host only: what is mounted there may have the ids of remapped containers, and files that
 * are set-user-ID.
 */
export async function makeParts(bundle: string): Promise<void> {
  await mkdir(bundle, { recursive: true, mode: 0o711 });
  await mkdir(partsOf(bundle), { recursive: true, mode: 0o700 });
}
