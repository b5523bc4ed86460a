import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rootfsEntry } from '../../kernel/rootfs-file.ts';
import { invalid } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';

/**
 * In a mount namespace of its own, so that nothing stays mounted however it ends: the image's directory is put together
 * as its containers see it, and copied with owners, modes, times, links and attributes. An overlay takes two
 * directories at least, and their names must fit on one page together: they get short ones. A container may be at home in the
 * volume already, so no link in there is followed.
 */
const COPY = `set -e
to=$2
mount -t tmpfs tmpfs "$1"
cd "$1"
shift 2
mkdir empty merged volume
mount --bind "$to" volume
mount -o "remount,bind,$(findmnt -nro VFS-OPTIONS volume),nosymfollow" volume
lower=
for dir; do
  ln -s "$dir" $#
  lower=$lower$#:
  shift
done
mount -t overlay -o "ro,lowerdir=\${lower}empty" overlay merged
cp -a merged/. volume/`;

/** Where a volume is filled before it is put in its place, so that nobody ever finds a part of it. */
export const besideOf = (mountpoint: string): string => join(dirname(mountpoint), '_filling');

/**
 * Fills an empty volume with what the image has where the volume will be mounted; one that has content is left alone. As in Docker, an image's
 * file is not hidden by a volume that would have to be filled.
 *
 * @param layers of the image, top first. @param scratch an existing directory, hidden while the copy runs. @param inPlace it
 * must stay the directory it is, because it is mounted. @throws `invalid` in Docker's words.
 */
export async function copyUp(o: {
  layers: readonly string[];
  path: string;
  volume: string;
  scratch: string;
  inPlace: boolean;
}): Promise<void> {
  if ((await readdir(o.volume)).length > 0) return;
  const found = await rootfsEntry(o.layers, o.path);
  if (found === undefined) return;
  if (found.kind === 'file') throw invalid(`source ${o.path} is not directory`);
  const own = ['--mount', '--propagation', 'private'];
  const copy = (to: string) => run('unshare', [...own, 'sh', '-c', COPY, 'copy-up', o.scratch, to, ...found.paths]);
  if (o.inPlace) {
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
