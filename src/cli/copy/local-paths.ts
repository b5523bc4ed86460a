import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { posix } from 'node:path';
import { hasCode } from '../../util/errors.ts';
import { ExitError } from '../command.ts';
import { endsInSlash, followed } from './copy-paths.ts';
import type { CopySource, CopyTarget } from './plan-copy.ts';

const MAX_LINKS = 255;

function look<T>(call: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new ExitError(1, `${call} ${path}: no such file or directory`);
    if (hasCode(error, 'ENOTDIR')) throw new ExitError(1, `${call} ${path}: not a directory`);
    throw error;
  }
}

/** A local path that is copied from; with `follow` what a last symbolic link leads to, under the link's name. */
export function localSource(path: string, follow: boolean): CopySource {
  const { path: whole, rename } = follow ? throughLink(path) : besideLink(path);
  const stats = look('lstat', whole, () => lstatSync(whole));
  return { path: whole, isDirectory: stats.isDirectory(), rename };
}

function throughLink(path: string): { path: string; rename: string } {
  return followed(
    path,
    look('lstat', path, () => realpathSync(path)),
  );
}

/** Links on the way are followed; the last part is, too, when a slash follows it. */
function besideLink(path: string): { path: string; rename: string } {
  const at = path.lastIndexOf('/') + 1;
  const real = look('lstat', path, () => realpathSync(path.slice(0, at) || '/'));
  const whole = `${real === '/' ? '' : real}/${path.slice(at)}`;
  const asked = posix.basename(path);
  return { path: whole, rename: endsInSlash(path) && asked !== posix.basename(whole) ? asked : '' };
}

/** A local path that is copied to: a symbolic link stands for what it leads to. @throws when its directory is missing. */
export function localTarget(path: string): CopyTarget {
  let at = path;
  for (let links = 0; ; links++) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return missing(at);
    if (!stats.isSymbolicLink()) return { path: at, exists: true, isDirectory: stats.isDirectory() };
    if (links === MAX_LINKS) throw new ExitError(1, `too many symlinks in ${path}`);
    at = posix.resolve(posix.dirname(at), readlinkSync(at));
  }
}

function missing(path: string): CopyTarget {
  const parent = statSync(posix.dirname(path.replace(/\/+$/, '')), { throwIfNoEntry: false });
  if (parent === undefined) throw new ExitError(1, 'no such directory');
  return { path, exists: false, isDirectory: false };
}

/** Refuses what cannot be written as a file or directory. @throws in Docker's words. */
export function checkOutput(path: string): void {
  const dir = posix.dirname(posix.normalize(path).replace(/(.)\/$/, '$1'));
  if (dir !== '.' && statSync(dir, { throwIfNoEntry: false }) === undefined) {
    throw new ExitError(1, `invalid output path: directory ${JSON.stringify(dir)} does not exist`);
  }
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory() || stats.isFile()) return;
  throw new ExitError(
    1,
    `invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got ${kindOf(stats)}`,
  );
}

function kindOf(stats: Stats): string {
  if (stats.isBlockDevice() || stats.isCharacterDevice()) return 'a device';
  return 'an irregular file';
}
