import { readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, internal } from '../../util/errors.ts';
import type { CgroupFacts } from '../host/cgroup-facts.ts';
import { killProcess } from '../processes.ts';
import { cgroupPids, childrenOf } from './cgroup-pids.ts';

/** A killed process is gone as soon as the kernel lets go of it; one in the middle of a disk write may take a while. */
const ATTEMPTS = 200;
const PAUSE_MS = 10;

/**
 * Kills every process of a control group, those it forks meanwhile too, and waits until it is empty.
 *
 * @throws `internal` naming the processes that would not go.
 */
export async function killCgroup(dirs: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pids = await cgroupPids(dirs);
    if (pids.length === 0) return;
    if (attempt === 0) await killUnified(dirs);
    pids.forEach(killProcess);
    await delay(PAUSE_MS);
  }
  throw internal(`processes cannot be killed: ${(await cgroupPids(dirs)).join(', ')}`);
}

/** Version 2 can kill a whole tree at once. Source: kernel doc cgroup-v2, cgroup.kill (Linux 5.14). */
async function killUnified(dirs: readonly string[]): Promise<void> {
  // Not created where the kernel has no such file: opening without O_CREAT.
  await Promise.all(dirs.map((dir) => writeFile(join(dir, 'cgroup.kill'), '1', { flag: 'r+' }).catch(ignoreAbsent)));
}

/**
 * Kills the processes of a control group and those below it with one write, where the kernel can and the group itself holds the process `pid`.
 * A short cut, which never rejects: whatever keeps it from being taken (a threaded group has no such list), the runtime's way stays.
 *
 * @param path is what the runtime was given: relative to the mount points, with a leading slash.
 * @returns whether it did.
 */
export async function killGroupOf(
  pid: number,
  { unified }: Pick<CgroupFacts, 'unified'>,
  path: string,
): Promise<boolean> {
  if (unified === undefined) return false;
  const dir = join(unified, path);
  try {
    const pids = (await readFile(join(dir, 'cgroup.procs'), 'utf8')).split('\n');
    if (!pids.includes(String(pid))) return false;
    await writeFile(join(dir, 'cgroup.kill'), '1', { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

function ignoreAbsent(error: unknown): void {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EACCES', 'EPERM')) throw error;
}

/** Removes a control group with those below it, where they are empty; one that is gone, or still in use, is left. */
export async function removeCgroup(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    await removeCgroup(await childrenOf(dir));
    try {
      await rmdir(dir);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EBUSY', 'ENODEV')) throw error;
    }
  }
}
