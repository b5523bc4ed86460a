import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupFacts } from '../host/cgroup-facts.ts';

/** Shorter than the grace periods of RCU that the kernel waits for. */
const PAUSE_MS = 2;
/** About a second's: what takes longer has other reasons to be slow. */
const MOST = 400;

/** Makes that processes get into control groups without waiting. */
export interface GroupMoves {
  /** Does some work in which a process is moved into a control group, by whomever, and answers as it does. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * A process that is moved into a control group is moved under a lock over all forks of the host. Who takes that lock after it has been left alone for a
 * while waits for a grace period of RCU, 4 to 8 ms, which is a good part of what starting a process in a container takes; who takes it
 * soon after another does not. Therefore the engine takes it as often while a runtime is on its way there: it moves itself into the group that it is
 * in, which changes nothing. Source: kernel/rcu/sync.c, `cgroup_attach_lock` in kernel/cgroup/cgroup.c; the mount option `favordynmods` does the same, but for the
 * whole host and for ever.
 *
 * Where it cannot, work only takes longer.
 */
export function openGroupMoves(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>): GroupMoves {
  return new Moves(cgroup);
}

class Moves implements GroupMoves {
  readonly #cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>;
  #works = 0;
  #moving = false;

  constructor(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>) {
    this.#cgroup = cgroup;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#works++;
    if (!this.#moving) void this.#keepMoving();
    try {
      return await work();
    } finally {
      this.#works--;
    }
  }

  /** Never fails. */
  async #keepMoving(): Promise<void> {
    this.#moving = true;
    for (let times = 0; times < MOST && this.#works > 0; times++) {
      if (!(await moveNowhere(this.#cgroup))) break;
      await sleep(PAUSE_MS);
    }
    this.#moving = false;
  }
}

/** Looks where the engine is each time: others may move it. @returns whether the lock has been taken. */
async function moveNowhere(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>): Promise<boolean> {
  try {
    const own = ownGroup(cgroup, await readFile('/proc/self/cgroup', 'utf8'));
    if (own === undefined) return false;
    await writeFile(join(own, 'cgroup.procs'), '0', { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** Any hierarchy will do, but one that limits nothing is taken if there is one. Source: cgroups(7), /proc/pid/cgroup. */
export function ownGroup(
  { version, mounts, unified }: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>,
  selfCgroup: string,
): string | undefined {
  const controller = version === 2 ? '' : 'freezer';
  const root = version === 2 ? unified : mounts['freezer'];
  const line = selfCgroup.split('\n').find((it) => it.split(':')[1]?.split(',').includes(controller));
  const path = line?.split(':').slice(2).join(':') ?? '';
  // Outside of what the engine's cgroup namespace shows, paths begin with `/..`.
  return root === undefined || !path.startsWith('/') || path.startsWith('/..') ? undefined : join(root, path);
}
