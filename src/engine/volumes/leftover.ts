import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
