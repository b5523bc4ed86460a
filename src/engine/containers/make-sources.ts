import { lchown, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode, invalid, messageOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import type { ContainerMount } from './model.ts';
import { sourceExists } from './mounts.ts';

/** How missing sources are made. */
export interface SourceMaking {
  /** Whose they are then: the root's of the container. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Where the engine listens: a directory in such a place would keep the next engine from starting. */
  readonly sockets: readonly string[];
}

/**
 * Makes the sources of binds that are not there, as directories, before a container starts: they may have been removed since it was
 * made. One that a file stands in the way of is left for the runtime to refuse.
 *
 * @throws `invalid` in Docker's words where `--mount` named it, for a socket of the engine's, and when it cannot be made.
 */
export async function makeSources(mounts: readonly ContainerMount[], how: SourceMaking): Promise<void> {
  for (const { type, source, manner } of mounts) {
    if (type !== 'bind') continue;
    if (manner?.sourceMustExist) await sourceExists(source);
    else if ((await ifExists(() => stat(source))) === undefined) await makeSource(source, how);
  }
}

async function isOneOf(path: string, others: readonly string[]): Promise<boolean> {
  const real = await Promise.all([path, ...others].map(realPlace));
  return real.slice(1).includes(real[0] ?? path);
}

/** A path without links on its way, whether there is something or not. */
async function realPlace(path: string): Promise<string> {
  const above = await ifExists(() => realpath(dirname(path)));
  return above === undefined ? path : join(above, basename(path));
}

async function makeSource(source: string, { owner, sockets }: SourceMaking): Promise<void> {
  if (await isOneOf(source, sockets)) return sourceExists(source);
  try {
    await makeDirectories(source, owner);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return;
    throw invalid(`error while creating mount source path '${source}': ${reasonOf(error)}`, error);
  }
}

/** With those above it. Node's own recursion never comes back where the kernel lets nobody make directories, as in /proc. */
async function makeDirectories(path: string, owner: SourceMaking['owner']): Promise<void> {
  if ((await ifExists(() => stat(path))) !== undefined) return;
  if (path !== '/') await makeDirectories(dirname(path), owner);
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (error) {
    // Another container that starts right now has made it.
    if (hasCode(error, 'EEXIST')) return;
    throw error;
  }
  await lchown(path, owner.uid, owner.gid);
}

/** The kernel's words as Docker has them, out of `ENOENT: no such file or directory, mkdir '/proc/x'`. */
function reasonOf(error: unknown): string {
  const [, reason = messageOf(error), call = 'mkdir', path = ''] =
    /^E\w+: (.*?), (\w+) '(.*)'$/su.exec(messageOf(error)) ?? [];
  return `${call} ${path}: ${reason}`;
}
