import { invalid } from '../util/errors.ts';
import { NO_XATTRS, nameText, type TarEntry } from '../util/tar/entry.ts';

/** What a layer has at a path so far. A `whiteout` hides what lower layers have there. */
export type Placed = 'directory' | 'symlink' | 'whiteout' | 'other';

const MAX_NAME = 255;
const MAX_PATH = 4095;
const MAX_LINK_HOPS = 40;
const MAX_PLACED = 4_000_000;
/** Bytes of names and attributes that are kept, far more than any real layer's: those of many deep paths that nobody lists add up. */
const MAX_KEPT = 2 ** 28;

const shown = (name: string): string => JSON.stringify(nameText(name));

/**
 * Takes a member's name apart, without `.` and empty parts; a leading slash means the layer's root.
 *
 * @throws `invalid` for names that would leave the layer, and for names no file system takes.
 */
export function nameParts(name: string): string[] {
  if (name === '') throw invalid('archive/tar: invalid tar header');
  if (name.includes('\0')) throw invalid(`invalid name ${shown(name)} in the layer`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    // `a/../../etc/shadow`: nothing legitimate is named like this, so not even what stays inside is let through.
    if (part === '..') throw invalid(`${shown(name)} is outside of the layer`);
    if (part.length > MAX_NAME) throw invalid(`open ${shown(name)}: file name too long`);
  }
  if (name.length > MAX_PATH) throw invalid(`open ${shown(name)}: file name too long`);
  return parts;
}

export const joined = (parent: string, base: string): string => (parent === '' ? base : `${parent}/${base}`);

/** A directory that the archive uses and does not list. */
export function impliedDirectory(name: string): TarEntry {
  return {
    type: 'directory',
    name,
    linkName: '',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds: 0, nanos: 0 },
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
  };
}

/**
 * The tree a layer's archive has built so far. All keys are paths whose parents are real directories of this layer:
 * whoever writes to such a path cannot be led elsewhere by a symbolic link of the same archive.
 */
export class LayerTree {
  readonly #placed = new Map<string, Placed>([['', 'directory']]);
  readonly #targets = new Map<string, string>();
  readonly #directories = new Map<string, TarEntry>();
  #kept = 0;

  /** Every directory with the attributes it had last, parents first. */
  get directories(): ReadonlyMap<string, TarEntry> {
    return this.#directories;
  }

  /** How many paths there are. */
  get size(): number {
    return this.#placed.size;
  }

  at(path: string): Placed | undefined {
    return this.#placed.get(path);
  }

  /** Where a symbolic link points; empty for anything else. */
  target(path: string): string {
    return this.#targets.get(path) ?? '';
  }

  /** @throws `invalid` when it is all too much to keep in memory. */
  place(path: string, what: Placed, target = ''): void {
    this.#keep(path.length + target.length);
    this.#placed.set(path, what);
    if (what === 'symlink') this.#targets.set(path, target);
    else this.#targets.delete(path);
  }

  /** Like `place`, with the attributes of a directory. */
  placeDirectory(path: string, entry: TarEntry): void {
    this.place(path, 'directory');
    for (const value of entry.xattrs.values()) this.#keep(value.length);
    this.#directories.set(path, entry);
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    if (this.#placed.size > MAX_PLACED || this.#kept > MAX_KEPT) throw invalid('the layer has too many entries');
  }

  /** Forgets a path and everything below it; takes as long as there are paths. */
  remove(path: string): void {
    const below = `${path}/`;
    for (const key of this.#placed.keys()) {
      if (key !== path && !key.startsWith(below)) continue;
      this.#placed.delete(key);
      this.#targets.delete(key);
      this.#directories.delete(key);
    }
  }

  /**
   * Follows `parts` to a directory as a process inside the layer would, symbolic links included: an absolute target
   * starts at the layer's root, and `..` stops there. `missing` is called for each part that is not there (or is a
   * whiteout), and must place a directory; without it the answer is undefined then.
   *
   * @throws `invalid` when a part is a file, or links go round in circles.
   */
  directory(parts: readonly string[], missing?: (path: string) => void): string | undefined {
    const straight = parts.join('/');
    if (this.#placed.get(straight) === 'directory') return straight;
    const left = [...parts].toReversed();
    let hops = 0;
    let path = '';
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === '..') {
        path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
        continue;
      }
      const next = joined(path, part);
      if (next.length > MAX_PATH) throw invalid(`open ${shown(straight)}: file name too long`);
      const placed = this.#placed.get(next);
      if (placed === 'other') throw invalid(`mkdir /${nameText(straight)}: not a directory`);
      if (placed !== 'symlink') {
        if (placed !== 'directory') {
          if (missing === undefined) return undefined;
          missing(next);
        }
        path = next;
        continue;
      }
      if (++hops > MAX_LINK_HOPS) throw invalid(`open /${nameText(straight)}: too many levels of symbolic links`);
      const target = this.#targets.get(next) ?? '';
      if (target.startsWith('/')) path = '';
      left.push(
        ...target
          .split('/')
          .filter((step) => step !== '' && step !== '.')
          .toReversed(),
      );
    }
    return path;
  }
}
