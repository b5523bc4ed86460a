import { chmod, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { hasCode, messageOf, unavailable } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { run } from '../../util/spawn.ts';
import { mountPoints } from '../mount-points.ts';
import { hostRoot, type IdMaps, type IdRange, mapText, sameMapText } from './id-map.ts';
import { MAKE_USER_NAMESPACE, MOUNT_MAPPED } from './namespace-script.ts';

/** The user namespace that an engine's remapped containers share. */
export interface UserNamespace {
  readonly maps: IdMaps;
  /** Root inside, by its ids outside. */
  readonly root: { readonly uid: number; readonly gid: number };
  /** A file that stands for the namespace. */
  readonly path: string;
  /** The namespace with the directories of the engine as they are mounted at this moment. Waits for no file system. */
  look(): Promise<SeenUserns>;
  /** Takes namespace and mounts away; containers that run keep theirs. */
  remove(): Promise<void>;
}

/** A user namespace with the places where what is stored as root's is root's inside. */
export interface SeenUserns extends Pick<UserNamespace, 'maps' | 'root' | 'path'> {
  /**
   * Where a path below a mapped directory is mounted with its ids mapped. What has something else mounted on it keeps the ids of that,
   * as paths elsewhere do.
   */
  readonly mapped: (path: string) => string;
}

interface Roots {
  readonly execRoot: string;
  /** What `mapped` has in place of it has the same name below. */
  readonly dataRoot: string;
  /** Directories of the data root that containers have a part in, each to be mapped by itself. */
  readonly dirs: readonly string[];
}

/** The highest id there is. */
const MOUNTER_ON_DISK = 2 ** 32 - 2;

/**
 * Opens the namespace of an engine: the one an earlier daemon has left, if its maps are the same, as containers can only be
 * joined within one.
 *
 * The mapped directories lie where only root of the host can go. Elsewhere root of a container that has the host's directories
 * would be root to all they hold, and what it leaves there is root's of the host on disk.
 *
 * @throws `unavailable` naming what the host lacks.
 */
export async function openUserNamespace({ execRoot, dataRoot, dirs }: Roots, maps: IdMaps): Promise<UserNamespace> {
  await checkTraversable(execRoot);
  const path = join(execRoot, 'userns');
  const hidden = hiddenDir(execRoot);
  await unmount(hidden);
  if (!(await isOf(path, maps))) {
    await unmount(path);
    await perl(MAKE_USER_NAMESPACE, [path, mapText(maps.uid), mapText(maps.gid)]);
  }
  await mkdir(hidden, { recursive: true });
  await chmod(hidden, 0o700);
  const place = (it: string): string => join(hidden, relative(dataRoot, it));
  try {
    await mountMapped(new Map(dirs.map((dir) => [dir, place(dir)])), maps);
  } catch (error) {
    await removeUserNamespace(execRoot);
    throw unavailable(
      `userns-remap takes a kernel (5.19 or newer) and a file system at ${dataRoot} that can map ids: ${messageOf(error)}`,
      error,
    );
  }
  const ownPoints = new Set((await mountPoints(dataRoot)).filter((it) => dirs.includes(it)));
  const seen = { maps, root: hostRoot(maps), path };
  return {
    ...seen,
    look: async () => {
      const others = (await mountPoints(dataRoot)).filter((it) => !ownPoints.has(it));
      const isMapped = (it: string): boolean => dirs.some((dir) => isIn(it, dir)) && !others.some((on) => isIn(it, on));
      return { ...seen, mapped: (it) => (isMapped(it) ? place(it) : it) };
    },
    remove: () => removeUserNamespace(execRoot),
  };
}

const hiddenDir = (execRoot: string): string => join(execRoot, 'mapped');

const isIn = (path: string, dir: string): boolean => path === dir || path.startsWith(`${dir}/`);

/** Takes away what an engine that remapped its containers has left; nothing when there is nothing. */
export async function removeUserNamespace(execRoot: string): Promise<void> {
  const [path, hidden] = [join(execRoot, 'userns'), hiddenDir(execRoot)];
  await unmount(hidden);
  // Only what is empty: what is still mounted are the engine's data.
  for (const name of (await ifExists(() => readdir(hidden))) ?? []) await rmdir(join(hidden, name));
  await ifExists(() => rmdir(hidden));
  await unmount(path);
  await rm(path, { force: true });
}

/** Deepest first, lazily: what containers have of it they keep. */
async function unmount(path: string): Promise<void> {
  for (const mount of (await mountPoints(path)).reverse()) await run('umount', ['-l', mount]);
}

async function isOf(path: string, maps: IdMaps): Promise<boolean> {
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

/** Directories by where to. What is mounted in them is left out: it keeps its own ids. */
async function mountMapped(targets: ReadonlyMap<string, string>, { uid, gid }: IdMaps): Promise<void> {
  for (const target of targets.values()) await mkdir(target, { recursive: true });
  await perl(MOUNT_MAPPED, [...[uid, gid].map((map) => mapText(withMounter(map))), ...[...targets].flat()]);
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
