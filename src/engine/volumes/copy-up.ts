import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rootfsDirectory } from '../../kernel/rootfs-file.ts';
import { run } from '../../util/spawn.ts';

/**
 * In a mount namespace of its own, so that nothing stays mounted however it ends: the image's directory is put together
 * as its containers see it, and copied with owners, modes, times, links and attributes. An overlay takes two
 * directories at least.
 */
const COPY = `set -e
mount -t tmpfs tmpfs "$2"
mkdir "$2/empty" "$2/merged"
mount -t overlay -o "ro,lowerdir=$1:$2/empty" overlay "$2/merged"
cp -a "$2/merged/." "$3/"`;

/** Where a volume is filled before it is put in its place, so that nobody ever finds a part of it. */
export const besideOf = (mountpoint: string): string => join(dirname(mountpoint), '_filling');

/**
 * Fills an empty volume with what the image has where the volume will be mounted; one that has content is left alone.
 *
 * @param layers of the image, top first. @param scratch an existing directory, hidden while the copy runs. @param mounted the volume is
 * a mount of its own, which must be filled where it is.
 */
export async function copyUp(o: {
  layers: readonly string[];
  path: string;
  volume: string;
  scratch: string;
  mounted: boolean;
}): Promise<void> {
  if ((await readdir(o.volume)).length > 0) return;
  const dirs = await rootfsDirectory(o.layers, o.path);
  if (dirs === undefined) return;
  const own = ['--mount', '--propagation', 'private'];
  const copy = (to: string) => run('unshare', [...own, 'sh', '-c', COPY, 'copy-up', dirs.join(':'), o.scratch, to]);
  if (o.mounted) {
    await copy(o.volume);
    return;
  }
  const aside = besideOf(o.volume);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside);
  try {
    await copy(aside);
    // An empty directory is replaced at once.
    await rename(aside, o.volume);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
