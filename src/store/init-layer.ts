import { closeSync, constants, fchmodSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../util/errors.ts';

const DIRECTORIES = ['dev', 'dev/pts', 'dev/shm', 'etc', 'proc', 'sys'];
/** Mounted on when a container runs, but for the first, by which programs tell that they are in one. */
const FILES = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/**
 * Makes the layer that all containers stand on, below the layers of their images: what Docker's have though their image
 * may not. So an image's own files come first, and what is mounted on needs nothing made in the container's files.
 */
export function makeInitLayer(dir: string): void {
  for (const name of DIRECTORIES) made(join(dir, name), (path) => mkdirSync(path));
  for (const name of FILES) made(join(dir, name), (path) => writeFileSync(path, '', { flag: 'wx' }));
  unlessThere(() => symlinkSync('/proc/mounts', join(dir, 'etc/mtab')));
}

function made(path: string, make: (path: string) => void): void {
  unlessThere(() => make(path));
  // Whatever the umask of the engine. Of what was there already, nothing is reached through a link.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  fchmodSync(fd, 0o755);
  closeSync(fd);
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}
