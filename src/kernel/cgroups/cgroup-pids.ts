import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../util/errors.ts';

/** The processes in a control group and in those below it, over all of its directories; sorted. */
export async function cgroupPids(dirs: readonly string[]): Promise<number[]> {
  const found = await Promise.all(dirs.map(pidsBelow));
  return [...new Set(found.flat())].toSorted((a, b) => a - b);
}

async function pidsBelow(dir: string): Promise<number[]> {
  const here = (await ifAlive(() => readFile(join(dir, 'cgroup.procs'), 'utf8'))) ?? '';
  const below = await Promise.all((await childrenOf(dir)).map(pidsBelow));
  const pids = here.split('\n').map(Number);
  // 0 stands for a process of a pid namespace that this one cannot see.
  return [...pids.filter((pid) => pid > 0), ...below.flat()];
}

/** The control groups directly below one; none when it is gone. */
export async function childrenOf(dir: string): Promise<string[]> {
  const entries = (await ifAlive(() => readdir(dir, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
}

/** A group may be removed while it is looked at: then its files answer ENODEV. */
async function ifAlive<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV', 'ENOTDIR')) return undefined;
    throw error;
  }
}
