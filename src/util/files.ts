import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.ts';

/** Flushes a directory, so that the names just made or renamed in it survive a power cut. */
export async function fsyncDir(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** Writes a whole file so that readers see the old content or the new one, never a part, even after a crash. */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    {
      await using handle = await open(aside, 'wx', mode);
      await handle.writeFile(content);
      await handle.sync();
    }
    await rename(aside, path);
    await fsyncDir(dirname(path));
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Makes a directory and its parents; an existing one keeps its mode. */
export function ensureDirSync(path: string, mode = 0o711): void {
  mkdirSync(path, { recursive: true, mode });
}

/** Runs `work` and gives `undefined` when the file it needs does not exist, in /proc also when its process ends meanwhile. */
export async function ifExists<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ESRCH')) return undefined;
    throw error;
  }
}
