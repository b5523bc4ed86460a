import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';

const MARK = '_removed';

/** Who has a volume of a plugin mounted, each a file. */
export const USERS = '_users';

/** Says that a volume's directory is to go, before its row does. */
export async function markLeftover(dir: string): Promise<void> {
  await ifExists(() => writeFile(join(dir, MARK), ''));
}

/** Whether a directory without a row is that of a volume that was removed, or never came to be: a mark says so, or there is nothing in it. */
export async function isLeftover(dir: string): Promise<boolean> {
  const entries = await readdir(dir).catch(() => undefined);
  if (entries === undefined) return false;
  if (entries.includes(MARK) || entries.includes('_provisional')) return true;
  const data = entries.includes('_data') ? await readdir(join(dir, '_data')) : [];
  return data.length === 0 && entries.every((name) => ['_data', '_filling', USERS].includes(name));
}

/** Takes away the engine's own notes of a volume, and the directory when nothing else is in it: content that a lost database hides stays. */
export async function eraseNotes(dir: string): Promise<void> {
  for (const note of [USERS, MARK, '_provisional']) await rm(join(dir, note), { recursive: true, force: true });
  await rmdir(dir).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}
