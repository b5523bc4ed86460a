import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindOf } from '../../../util/errors.ts';
import { ifExists } from '../../../util/files.ts';
import { eraseNotes, USERS } from '../leftover.ts';
import type { VolumeDriver } from '../volume-driver.ts';
import { pluginError } from './plugin-error.ts';
import type { VolumePlugin } from './volume-plugin.ts';

/**
 * The volumes of a plugin, which may be away until something is asked of it. Who has one mounted is written down in its directory before the plugin is told, so that a daemon that is killed
 * leaves nothing mounted for good: the next one says good-bye in its place.
 *
 * @param dirOf the directory of the engine's own that goes with a volume.
 */
export function pluginDriver(plugin: () => Promise<VolumePlugin>, dirOf: (name: string) => string): VolumeDriver {
  const users = (name: string): string => join(dirOf(name), USERS);
  const leave: VolumeDriver['leave'] = async ({ name }, user) => {
    const mark = join(users(name), user);
    if (!((await ifExists(() => readdir(users(name)))) ?? []).includes(user)) return;
    await (await plugin()).unmount(name, user);
    await rm(mark, { force: true });
  };
  return {
    async create({ name, options }) {
      await eraseNotes(dirOf(name));
      await mkdir(dirOf(name), { recursive: true, mode: 0o700 });
      try {
        await (await plugin()).create(name, options ?? {});
      } catch (error) {
        await eraseNotes(dirOf(name));
        throw pluginError(`create ${name}`, error);
      }
    },
    async remove({ name }, forget) {
      try {
        await (await plugin()).remove(name);
      } catch (error) {
        throw pluginError(`remove ${name}`, error);
      }
      forget();
      await eraseNotes(dirOf(name));
    },
    async use({ name, mountpoint }, user) {
      const mark = join(users(name), user);
      await mkdir(users(name), { recursive: true });
      await writeFile(mark, '');
      try {
        return await (await plugin()).mount(name, user);
      } catch (error) {
        // One that does not answer may have it mounted all the same.
        if (kindOf(error) !== 'unavailable') await rm(mark, { force: true });
        throw pluginError(`error while mounting volume '${mountpoint}'`, error);
      }
    },
    leave,
    async recover(volume, still) {
      for (const user of (await ifExists(() => readdir(users(volume.name)))) ?? []) {
        if (!still.has(user)) await leave(volume, user);
      }
    },
  };
}
