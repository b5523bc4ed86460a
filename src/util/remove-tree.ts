import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { hasCode } from './errors.ts';
import { ifExists } from './files.ts';

/** So many directories are open at once; what lies deeper is moved up first. */
const MAX_DEPTH = 32;

/**
 * Removes what is at a path, with all below it; nothing there is fine.
 *
 * A process may still be at home in the tree and put links in the place of directories meanwhile. So every directory is opened
 * without following one, and what is in it is found through its handle: nothing outside of the tree is ever touched.
 */
export async function removeTree(path: string): Promise<void> {
  await using top = await openDirectory(path);
  if (top === undefined) {
    await ifExists(() => unlink(path));
    return;
  }
  while ((await empty(top, top, 0)) > 0);
  await ifExists(() => rmdir(path));
}

/** @returns how many directories below it were moved to the top. */
async function empty(dir: FileHandle, top: FileHandle, depth: number): Promise<number> {
  let moved = 0;
  // Names are bytes.
  for (const entry of await readdir(inside(dir), { encoding: 'buffer', withFileTypes: true })) {
    const path = Buffer.concat([Buffer.from(inside(dir)), entry.name]);
    await using below = entry.isDirectory() ? await openDirectory(path) : undefined;
    if (below === undefined) await ifExists(() => unlink(path));
    else if (depth < MAX_DEPTH) {
      moved += await empty(below, top, depth + 1);
      await ifExists(() => rmdir(path));
    } else {
      await rename(path, inside(top) + randomBytes(8).toString('hex'));
      moved++;
    }
  }
  return moved;
}

const inside = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}/`;

/** Undefined: it is no directory, or a link to one. */
async function openDirectory(path: string | Buffer): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
