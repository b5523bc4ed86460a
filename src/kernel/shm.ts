import { mkdir } from 'node:fs/promises';
import { run } from '../util/spawn.ts';

/**
 * Mounts a /dev/shm that several containers can have, with the options of a private one. Whoever removes the directory
 * unmounts it; containers that have bound it keep theirs.
 */
export async function mountShm(dir: string, bytes: number, owner: { uid: number; gid: number }): Promise<void> {
  await mkdir(dir, { mode: 0o700 });
  const options = `nosuid,noexec,nodev,mode=1777,size=${bytes},uid=${owner.uid},gid=${owner.gid}`;
  await run('mount', ['-t', 'tmpfs', '-o', options, 'shm', dir]);
}
