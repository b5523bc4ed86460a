import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../util/errors.ts';
import { ifExists } from '../util/files.ts';
import { run } from '../util/spawn.ts';

/** As many as the kernel follows before it says ELOOP. Source: path_resolution(7). */
const MAX_LINKS = 40;

/**
 * Reads a file of a container's root file system without mounting it: looks through its overlay directories as the
 * kernel would, from the top layer down, honouring whiteouts and opaque directories, and follows symbolic links inside
 * that root only.
 *
 * What lies in the directories came with an image and is hostile: every step is looked at before it is taken, `..`
 * stays below the root, what is not a regular file (a FIFO that would block, a device) is not read, and a path that a
 * running container changes meanwhile is noticed.
 *
 * @returns undefined when there is no such file. @throws `invalid` when it is larger than `maxBytes`, is not a regular
 * file, or its links lead in a circle.
 */
export async function readRootfsFile(
  dirs: readonly string[],
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const found = await lookUp(dirs, path);
  if (found === undefined) return undefined;
  if (found.kind === 'directory') throw invalid(`${path}: is a directory`);
  return readLimited(found.real, path, maxBytes);
}

/**
 * What a root file system has at a path, found as `readRootfsFile` finds a file: the directories that together are the content of one, top first;
 * of a file, or what else is no directory, the one path where it is.
 */
export async function rootfsEntry(
  dirs: readonly string[],
  path: string,
): Promise<{ kind: 'directory' | 'file'; paths: string[] } | undefined> {
  const found = await lookUp(dirs, path);
  if (found === undefined) return undefined;
  if (found.kind === 'file') return { kind: 'file', paths: [found.real] };
  const merged = found.place.dirs;
  for (let depth = 1; depth < merged.length; depth++) {
    if (await anyOpaque(merged.slice(0, depth))) return { kind: 'directory', paths: merged.slice(0, depth) };
  }
  return { kind: 'directory', paths: [...merged] };
}

async function lookUp(dirs: readonly string[], path: string): Promise<Exclude<Entry, { kind: 'link' }> | undefined> {
  const root = await rootOf(dirs);
  let at = root;
  let left = parts(path);
  let links = 0;
  while (left.length > 0) {
    const [name = '', ...rest] = left;
    const found = name === '..' ? ascend(root, at) : await enter(at, name);
    if (found === undefined) return undefined;
    if (found.kind === 'file') return rest.length > 0 ? undefined : found;
    if (found.kind === 'directory') at = found.place;
    else if (++links > MAX_LINKS) throw invalid(`${path}: too many levels of symbolic links`);
    else if (found.target.startsWith('/')) at = root;
    left = found.kind === 'link' ? [...parts(found.target), ...rest] : rest;
  }
  return { kind: 'directory', place: at };
}

/** A directory of the root file system: the one above it, and where its layers are, top first. */
interface Place {
  readonly up: Place | undefined;
  readonly dirs: readonly string[];
}

type Entry =
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly place: Place }
  | { readonly kind: 'file'; readonly real: string };

async function rootOf(dirs: readonly string[]): Promise<Place> {
  const real = await Promise.all(dirs.map((dir) => ifExists(() => realpath(dir))));
  return { up: undefined, dirs: real.filter((dir) => dir !== undefined) };
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** The root is its own parent. */
function ascend(root: Place, at: Place): Entry {
  return { kind: 'directory', place: at.up ?? root };
}

/** The topmost entry decides what a name is; a directory goes on below until a whiteout or something else covers it. */
async function enter(at: Place, name: string): Promise<Entry | undefined> {
  const merged: string[] = [];
  for (const [depth, dir] of at.dirs.entries()) {
    const real = join(dir, name);
    const stats = await ifExists(() => lstat(real, { bigint: true }));
    if (stats === undefined) continue;
    if (depth > 0 && at.up !== undefined && (await anyOpaque(at.dirs.slice(0, depth)))) break;
    if (isWhiteout(stats) || (merged.length > 0 && !stats.isDirectory())) break;
    if (stats.isSymbolicLink()) return { kind: 'link', target: await readlink(real) };
    if (!stats.isDirectory()) return { kind: 'file', real };
    merged.push(real);
  }
  return merged.length > 0 ? { kind: 'directory', place: { up: at, dirs: merged } } : undefined;
}

/** Source: kernel doc filesystems/overlayfs, "whiteouts and opaque directories". */
function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

/**
 * Whether one of the directories hides what lies in layers below it. Node cannot read extended attributes, tar can; it
 * is asked only when a name was found below a directory of the same path, so seldom.
 */
async function anyOpaque(dirs: readonly string[]): Promise<boolean> {
  const attribute = 'trusted.overlay.opaque';
  const show = ['--xattrs', `--xattrs-include=${attribute}`, '--no-recursion', '--absolute-names'];
  const { stdout } = await run('tar', ['--create', '--file=-', '--format=posix', ...show, '--', ...dirs]);
  return stdout.includes(`SCHILY.xattr.${attribute}=y`);
}

/** Opens without following a last link and without waiting, then makes sure that what is open is what was looked up. */
async function readLimited(real: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const stats = await ifExists(() => lstat(real));
  if (stats !== undefined && !stats.isFile()) throw invalid(`${path}: is not a regular file`);
  const handle = await ifExists(() => open(real, flags));
  if (handle === undefined) return undefined;
  await using file = handle;
  const same = (await readlink(`/proc/self/fd/${file.fd}`)) === real && (await file.stat()).isFile();
  if (!same) throw invalid(`${path}: changed while it was being read`);
  const buffer = Buffer.alloc(Math.min(maxBytes + 1, (await file.stat()).size + 1));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (length > maxBytes) throw invalid(`${path}: larger than ${maxBytes} bytes`);
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}
