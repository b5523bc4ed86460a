import { posix } from 'node:path';
import { ExitError } from '../command.ts';
import { meansDirectory, splitLast } from './copy-paths.ts';

export interface CopySource {
  readonly path: string;
  readonly isDirectory: boolean;
  /** The name its archive begins with, if not the last part of the path. */
  readonly rename: string;
}

export interface CopyTarget {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

/** Where an archive is unpacked, and how the name it begins with changes. */
export interface CopyPlan {
  readonly directory: string;
  readonly rename: { readonly from: string; readonly to: string } | undefined;
}

/** What `cp` means for what is there: into a directory, onto a file, or under a new name. @throws in Docker's words. */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  if (target.exists && target.isDirectory) return { directory: target.path, rename: undefined };
  if (target.exists && source.isDirectory) throw new ExitError(1, 'cannot copy directory');
  if (!target.exists && !source.isDirectory && meansDirectory(target.path)) {
    throw new ExitError(1, 'no such directory');
  }
  const { dir, base } = splitLast(target.path);
  const from = source.rename === '' ? splitLast(source.path).base : source.rename;
  return { directory: dir, rename: { from, to: base === '.' ? posix.basename(dir) : base } };
}
