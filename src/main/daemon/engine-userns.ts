import { mapText } from '../../kernel/userns/id-map.ts';
import { remapOf } from '../../kernel/userns/remap-owner.ts';
import { openUserNamespace, removeUserNamespace, type UserNamespace } from '../../kernel/userns/user-namespace.ts';
import type { StoreDirs } from '../../store/store-dirs.ts';
import type { Log } from '../../util/log.ts';
import type { DaemonConfig } from './config.ts';

/** The user namespace of containers, as configured. An earlier daemon's goes when this one remaps nobody. */
export async function engineUserns(
  { usernsRemap, execRoot }: DaemonConfig,
  { root: dataRoot, layers, links, init, containers, volumes }: StoreDirs,
  log: Log,
): Promise<UserNamespace | undefined> {
  if (usernsRemap === '') return removeUserNamespace(execRoot).then(() => undefined);
  const maps = await remapOf(usernsRemap);
  log.info('containers are remapped', { uid: mapText(maps.uid).trim(), gid: mapText(maps.gid).trim() });
  return openUserNamespace({ execRoot, dataRoot, dirs: [layers, links, init, containers, volumes] }, maps);
}
