import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, invalid, messageOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import type { ContainerMount } from './model.ts';
import { sourceExists } from './mounts.ts';

/**
 * Makes the sources of binds that are not there, as directories, before a container starts: they may have been removed since it was
 * made. One that a file stands in the way of is left for the runtime to refuse.
 *
 * @throws `invalid` in Docker's words where `--mount` named it, and when it cannot be made.
 */
export async function makeSources(mounts: readonly ContainerMount[]): Promise<void> {
  for (const { type, source, manner } of mounts) {
    if (type !== 'bind') continue;
    if (manner?.sourceMustExist) await sourceExists(source);
    else await makeSource(source);
  }
}

async function makeSource(source: string): Promise<void> {
  try {
    await makeDirectories(source);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return;
    throw invalid(`error while creating mount source path '${source}': ${reasonOf(error)}`, error);
  }
}

/** With those above it. Node's own recursion never comes back where the kernel lets nobody make directories, as in /proc. */
async function makeDirectories(path: string): Promise<void> {
  if ((await ifExists(() => stat(path))) !== undefined) return;
  if (path !== '/') await makeDirectories(dirname(path));
  await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
    // Another container that starts right now has made it.
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}

/** The kernel's words as Docker has them, out of `ENOENT: no such file or directory, mkdir '/proc/x'`. */
function reasonOf(error: unknown): string {
  const [, reason = messageOf(error), call = 'mkdir', path = ''] =
    /^E\w+: (.*?), (\w+) '(.*)'$/su.exec(messageOf(error)) ?? [];
  return `${call} ${path}: ${reason}`;
}
