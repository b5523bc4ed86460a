import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifExists } from '../../util/files.ts';

/** Bytes of the regular files below a directory, hard links counted once; 0 when it does not exist. */
export async function bytesBelow(dir: string, seen = new Set<string>()): Promise<number> {
  const entries = await ifExists(() => opendir(dir));
  if (entries === undefined) return 0;
  let bytes = 0;
  for await (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path, seen);
    else if (entry.isFile()) bytes += await fileBytes(path, seen);
  }
  return bytes;
}

async function fileBytes(path: string, seen: Set<string>): Promise<number> {
  const stat = await ifExists(() => lstat(path));
  if (stat === undefined) return 0;
  if (stat.nlink > 1) {
    const key = `${stat.dev}:${stat.ino}`;
    if (seen.has(key)) return 0;
    seen.add(key);
  }
  return stat.size;
}
