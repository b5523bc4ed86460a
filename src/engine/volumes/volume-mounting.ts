import { detach } from '../../kernel/detach.ts';
import { mountDevice } from '../../kernel/mount-device.ts';
import { mountPoints } from '../../kernel/mount-points.ts';
import { internal, messageOf } from '../../util/errors.ts';
import type { VolumeView } from '../engine.ts';
import { isMounted } from './local-options.ts';

/**
 * Mounts what the options of volumes name, for as long as somebody uses it. Whether it is mounted the kernel tells, so a daemon that was killed
 * misleads nobody. Not safe against itself: callers hold the volume's lock.
 */
export class VolumeMounting {
  readonly #users = new Map<string, Set<string>>();

  /** Mounts it for its first user, and gives the path. @throws `internal` in Docker's words. */
  async use({ name, mountpoint, options }: VolumeView, user: string): Promise<string> {
    if (!isMounted(options)) return mountpoint;
    if (!(await isMountPoint(mountpoint))) {
      const { type = '', o = '', device = '' } = options;
      await mountDevice({ type, device, options: o, target: mountpoint }).catch((error: unknown) => {
        throw internal(`error while mounting volume '${mountpoint}': ${messageOf(error)}`, error);
      });
    }
    this.adopt(name, user);
    return mountpoint;
  }

  /** Of a user that was there before this daemon. */
  adopt(name: string, user: string): void {
    const users = this.#users.get(name) ?? new Set();
    this.#users.set(name, users.add(user));
  }

  /** Unmounts it after its last user. @throws `internal`. */
  async leave(volume: VolumeView, user: string): Promise<void> {
    const users = this.#users.get(volume.name);
    if (users?.delete(user) !== true || users.size > 0) return;
    this.#users.delete(volume.name);
    await this.clear(volume);
  }

  /** Unmounts what nobody uses. @throws `internal`. */
  async clear({ name, mountpoint, options }: VolumeView): Promise<void> {
    if (!isMounted(options) || this.#users.has(name)) return;
    while (await isMountPoint(mountpoint)) await detach(mountpoint);
  }
}

const isMountPoint = async (path: string): Promise<boolean> => (await mountPoints(path)).includes(path);
