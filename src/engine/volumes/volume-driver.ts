import type { VolumeView } from '../engine.ts';

/** What keeps the content of volumes. Callers hold the volume's lock. */
export interface VolumeDriver {
  /** Makes a new one; nothing of it stays when that fails. */
  create(volume: VolumeView): Promise<void>;
  /** @param forget takes its row away: at that moment it is gone for everybody, whatever happens afterwards. */
  remove(volume: VolumeView, forget: () => void): Promise<void>;
  /** Has it mounted until that user leaves, and gives the path. @throws `internal` in Docker's words. */
  use(volume: VolumeView, user: string): Promise<string>;
  /** A user that is not there is none. */
  leave(volume: VolumeView, user: string): Promise<void>;
  /** After a start of the daemon: who still uses it. Whoever else did leaves. */
  recover(volume: VolumeView, users: ReadonlySet<string>): Promise<void>;
}
