import { randomBytes } from 'node:crypto';
import { constants, mkdirSync } from 'node:fs';
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

/** Writes a file that others have write access to, or whose place they may have had: never through a link. */
export async function writeOwnedFile(
  path: string,
  content: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  await using handle = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
  await handle.writeFile(content);
  await handle.chown(uid, gid);
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
