import { readFile } from 'node:fs/promises';
import { ifExists } from '../../util/files.ts';
import { type IdMaps, mapText, sameMapText } from './id-map.ts';

/** Whether a process of the host is in a user namespace with these maps; false when it has ended. */
export async function hasMaps(pid: number, { uid, gid }: IdMaps): Promise<boolean> {
  const read = (file: string) => ifExists(() => readFile(`/proc/${pid}/${file}`, 'utf8'));
  const [uids = '', gids = ''] = await Promise.all([read('uid_map'), read('gid_map')]);
  return sameMapText(uids, mapText(uid)) && sameMapText(gids, mapText(gid));
}
