import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifExists } from '../util/files.ts';
import { detachAll } from './detach.ts';

// Bundles lie in memory, below the exec root: a call that waits its turn in the thread pool takes longer than the work.

/** Makes an OCI bundle: a directory with `config.json` and the empty `rootfs` the shim mounts on. */
export function writeBundle(dir: string, config: object): void {
  mkdirSync(join(dir, 'rootfs'), { recursive: true, mode: 0o711 });
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config), { mode: 0o600 });
}

/**
 * Removes a bundle and whatever is still mounted below it; one that is gone already is fine.
 *
 * @throws `internal` when a file system cannot be unmounted: nothing in it is touched then.
 */
export async function removeBundle(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await removeMountPoint(path);
    else rmSync(path, { force: true });
  }
  await ifExists(() => rmdir(dir));
}

async function removeMountPoint(dir: string): Promise<void> {
  try {
    await ifExists(() => rmdir(dir));
  } catch {
    // Busy: a /dev/shm that was shared, parts of volumes, or a root file system whose shim is gone.
    await detachAll(dir);
    for (const place of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, place.name);
      if (place.isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    }
    await ifExists(() => rmdir(dir));
  }
}
