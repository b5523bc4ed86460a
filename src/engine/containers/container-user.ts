import { readRootfsFile } from '../../kernel/rootfs-file.ts';
import { type ResolvedUser, resolveUser } from '../runtime-spec/resolve-user.ts';
import type { Container } from './model.ts';

/** Largest /etc/passwd or /etc/group read from an image. */
const USER_FILE_LIMIT = 4 << 20;

/**
 * Looks a user up in the container's own passwd and group files. Empty: the container's user.
 *
 * While it runs its mounted file system is read, which spares going through the layers.
 */
export function containerUser({ config, hostConfig, graph, state }: Container, user: string): Promise<ResolvedUser> {
  const dirs = state.pid > 0 ? [graph.merged] : [graph.upper, ...graph.lower];
  const read = (path: string) => readRootfsFile(dirs, path, USER_FILE_LIMIT);
  return resolveUser(user || config.User, hostConfig.GroupAdd ?? [], read);
}
