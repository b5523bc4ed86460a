import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { detachAll } from '../../kernel/detach.ts';
import { conflict } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { removeTree } from '../../util/remove-tree.ts';
import type { VolumeView } from '../engine.ts';
import { isLeftover, markLeftover } from './leftover.ts';
import type { VolumeDriver } from './volume-driver.ts';
import { VolumeMounting } from './volume-mounting.ts';

/** Docker's driver `local`: directories of the engine's own, on which it mounts what the options name. */
export function localDriver(log: Log): VolumeDriver {
  const mounting = new VolumeMounting();
  return {
    create: makeDirectory,
    async remove(volume, forget) {
      await mounting.clear(volume);
      const dir = dirname(volume.mountpoint);
      await markLeftover(dir);
      forget();
      await eraseDirectory(dir, log);
    },
    use: (volume, user) => mounting.use(volume, user),
    leave: (volume, user) => mounting.leave(volume, user),
    async recover(volume, users) {
      for (const user of users) mounting.adopt(volume.name, user);
      await mounting.clear(volume);
    },
  };
}

/** What is there already has no row: it is the rest of a volume whose removal failed, or the content of one that a lost database hides. */
async function makeDirectory({ name, mountpoint }: VolumeView): Promise<void> {
  const dir = dirname(mountpoint);
  await detachAll(dir).catch((error: unknown) => {
    throw conflict(`create ${name}: something is mounted in ${dir}`, error);
  });
  if (await isLeftover(dir)) await removeTree(dir);
  await mkdir(dir, { recursive: true, mode: 0o701 });
  await mkdir(mountpoint, { recursive: true, mode: 0o755 });
}

/** Never reaches into what is mounted there: that is somebody's data. @returns whether it is gone. */
export async function eraseDirectory(path: string, log: Log): Promise<boolean> {
  try {
    await detachAll(path);
    await removeTree(path);
    return true;
  } catch (error) {
    log.warn('the directory of a volume that is gone stays until the next start', { path, error });
    return false;
  }
}
