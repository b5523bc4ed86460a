import type { Compared } from '../../kernel/files/compare.ts';
import { FILE_TYPE } from '../../kernel/files/walk.ts';

const [FILE, DIRECTORY, LINK] = [0o100000, 0o040000, 0o120000];

/** What is put into a container's root file system so that there is something to mount on; not the container's doing. */
const MADE: ReadonlyMap<string, number> = new Map([
  ...['/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/etc', '/proc', '/sys'].map((path) => [path, DIRECTORY] as const),
  ...['/.dockerenv', '/dev/console', '/etc/hostname', '/etc/hosts', '/etc/resolv.conf'].map(
    (path) => [path, FILE] as const,
  ),
  ['/etc/mtab', LINK],
]);

/** True for a file that the image has not and that is as it was made: empty, in its place. */
export function isMountPoint({ path, file, before }: Compared): boolean {
  if (file === undefined || before !== undefined) return false;
  const type = MADE.get(path);
  return type === (file.mode & FILE_TYPE) && (type !== FILE || file.size === 0);
}
