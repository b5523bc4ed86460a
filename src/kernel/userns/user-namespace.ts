import { statSync } from 'node:fs';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { hasCode, messageOf, unavailable } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { run } from '../../util/spawn.ts';
import { mountPoints } from '../mount-points.ts';
import { hostRoot, type IdMaps, type IdRange, mapText, sameMapText } from './id-map.ts';
import { MAKE_USER_NAMESPACE, MOUNT_MAPPED } from './namespace-script.ts';

/** The user namespace that an engine's remapped containers share, and the data root as it is seen from there. */
export interface UserNamespace {
  readonly maps: IdMaps;
  /** Root inside, by its ids outside. */
  readonly root: { readonly uid: number; readonly gid: number };
  /** A file that stands for the namespace. */
  readonly path: string;
  /**
   * Where a path below the data root is mounted with its ids mapped, so that what is stored as root's is root's inside. What has
   * something else mounted on it keeps the ids of that, as paths elsewhere do.
   */
  readonly mapped: (path: string) => string;
  /** Takes namespace and mount away; containers that run keep theirs. */
  remove(): Promise<void>;
}

/** The highest id there is. */
const MOUNTER_ON_DISK = 2 ** 32 - 2;

/**
 * Opens the namespace of an engine: the one an earlier daemon has left, if its maps are the same, as containers can only be
 * joined within one.
 *
 * @throws `unavailable` naming what the host lacks.
 */
export async function openUserNamespace(
  { execRoot, dataRoot }: { readonly execRoot: string; readonly dataRoot: string },
  maps: IdMaps,
): Promise<UserNamespace> {
  await checkTraversable(execRoot);
  const path = join(execRoot, 'userns');
  const data = join(execRoot, 'mapped');
  await unmount(data);
  if (!(await hasMaps(path, maps))) {
    await unmount(path);
    await perl(MAKE_USER_NAMESPACE, [path, mapText(maps.uid), mapText(maps.gid)]);
  }
  await mkdir(data, { recursive: true, mode: 0o711 });
  try {
    await mountMapped(dataRoot, data, maps);
  } catch (error) {
    await removeBoth(path, data);
    throw unavailable(
      `userns-remap takes a kernel (5.19 or newer) and a file system at ${dataRoot} that can map ids: ${messageOf(error)}`,
      error,
    );
  }
  return {
    maps,
    root: hostRoot(maps),
    path,
    mapped: (it) => {
      if (!it.startsWith(`${dataRoot}/`)) return it;
      const seen = join(data, relative(dataRoot, it));
      return isSame(it, seen) ? seen : it;
    },
    remove: () => removeBoth(path, data),
  };
}

/** Takes away what an engine that remapped its containers has left; nothing when there is nothing. */
export async function removeUserNamespace(execRoot: string): Promise<void> {
  await removeBoth(join(execRoot, 'userns'), join(execRoot, 'mapped'));
}

async function removeBoth(path: string, data: string): Promise<void> {
  await unmount(data);
  await ifExists(() => rmdir(data));
  await unmount(path);
  await rm(path, { force: true });
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

/** Deepest first, lazily: what containers have of it they keep. */
async function unmount(path: string): Promise<void> {
  for (const mount of (await mountPoints(path)).reverse()) await run('umount', ['-l', mount]);
}

async function hasMaps(path: string, maps: IdMaps): Promise<boolean> {
  if (!(await mountPoints(path)).includes(path)) return false;
  const files = ['/proc/self/uid_map', '/proc/self/gid_map'];
  const { stdout } = await run('nsenter', [`--user=${path}`, '--', 'cat', ...files], { allowFailure: true });
  return sameMapText(stdout, mapText(maps.uid) + mapText(maps.gid));
}

/**
 * An overlay makes its own files with the ids of who mounted it, and those must stand for something on disk: an id that no
 * container has.
 */
function withMounter(map: readonly IdRange[]): IdRange[] {
  return [...map, { container: MOUNTER_ON_DISK, host: 0, size: 1 }];
}

/** The data root, and each of its directories that is a file system of its own; what is mounted further down is a volume's. */
async function mountMapped(dataRoot: string, data: string, { uid, gid }: IdMaps): Promise<void> {
  const texts = [uid, gid].map((map) => mapText(withMounter(map)));
  const own = (await mountPoints(dataRoot)).filter((path) => dirname(path) === dataRoot);
  for (const path of [dataRoot, ...own])
    await perl(MOUNT_MAPPED, [path, join(data, relative(dataRoot, path)), ...texts]);
}

async function perl(script: string, args: readonly string[]): Promise<void> {
  await run('perl', ['-e', script, process.arch, ...args]);
}

/** @throws `unavailable` for a directory that the root of a container cannot go through. */
async function checkTraversable(dir: string): Promise<void> {
  for (let path = dir; path !== dirname(path); path = dirname(path)) {
    if (((await statMode(path)) & 0o001) !== 0) continue;
    throw unavailable(
      `the exec root (${dir}) restricts access to the remapped root uid/gid; please fix by allowing 'o+x' permissions on ${path}`,
    );
  }
}

async function statMode(path: string): Promise<number> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0o001;
    throw error;
  }
}
