import { readFile } from 'node:fs/promises';
import { invalid } from '../../util/errors.ts';

/**
 * The id of the group that may use the socket: the one that was named, else `docker` when there is such a group, else root's.
 *
 * @throws `invalid` when a group was named that does not exist.
 */
export async function socketGroup(name: string | undefined): Promise<number> {
  if (name !== undefined && /^\d+$/.test(name)) return Number(name);
  const entries = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = entries.find(([group]) => group === (name ?? 'docker'));
  if (entry === undefined && name !== undefined) throw invalid(`group ${name} not found`);
  return Number(entry?.[2] ?? 0);
}
