import { invalid } from '../util/errors.ts';
import { NO_XATTRS, nameText, type TarEntry } from '../util/tar/entry.ts';
import { padding } from '../util/tar/header.ts';
import { gnuXattrName } from '../util/tar/pax.ts';
import type { TarReader } from '../util/tar/tar-reader.ts';
import { encodeHeader, TAR_END } from '../util/tar/tar-writer.ts';
import { impliedDirectory, joined, LayerTree, nameParts } from './layer-tree.ts';

// The names by which an archive tells what it removes from the layers below (OCI image-spec, `layer.md`, "Whiteouts").
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What aufs kept beside the files; of no use to anybody else. */
const AUFS = '.wh..wh.';

/** How overlayfs tells the same (kernel, `filesystems/overlayfs.rst`, "whiteouts and opaque directories"). */
const OPAQUE_XATTR = 'trusted.overlay.opaque';
/** Attributes by which overlayfs would be told things that only the engine may say. */
const RESERVED_XATTR = /^(?:trusted|user)\.overlay\./;

const MAX_ENTRIES = 4_000_000;
const MAX_DEPTH = 1000;
const MAX_REPLACED = 1000;
/** Paths that may be gone through for that. */
const MAX_GONE_THROUGH = 200_000_000;
const ZEROS = Buffer.alloc(512);

/** Where the rewritten archive goes. */
export interface LayerSink {
  /** A promise when the reader lags. */
  write(piece: Buffer): Promise<void> | undefined;
  /** Makes sure everything written so far is in place, then removes that directory with what is in it, or that link. */
  remove(path: string): Promise<void>;
}

export interface Rewritten {
  /** Bytes of the regular files. */
  readonly size: number;
  /** The layer hides everything below it. overlayfs does not look for this at the root of a layer. */
  readonly opaque: boolean;
}

/**
 * Turns a layer's archive into one that can be unpacked alone, by a plain tar, as a lower directory of an overlay mount.
 *
 * In what goes out every name is relative, free of `..`, and leads through real directories of the same archive; every
 * hard link points at a file that came before. Whiteouts have become 0/0 character devices, opaque markers an attribute.
 * Every header is written anew, so that the tar behind this cannot read one differently.
 *
 * @throws `invalid` for what does not pass, in Docker's words where it has any.
 */
export async function rewriteLayer(reader: TarReader, sink: LayerSink): Promise<Rewritten> {
  const rewriter = new Rewriter(reader, sink);
  let entries = 0;
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    if (++entries > MAX_ENTRIES) throw invalid(`the layer has more than ${MAX_ENTRIES} entries`);
    await rewriter.entry(entry);
  }
  await sink.write(TAR_END);
  return { size: rewriter.size, opaque: rewriter.isOpaque('') };
}

class Rewriter {
  readonly #reader: TarReader;
  readonly #sink: LayerSink;
  readonly #tree = new LayerTree();
  readonly #opaque = new Set<string>();
  /** Headers that must go out before the next entry's. */
  #pending: Buffer[] = [];
  #replaced = 0;
  #goneThrough = 0;
  size = 0;

  constructor(reader: TarReader, sink: LayerSink) {
    this.#reader = reader;
    this.#sink = sink;
  }

  isOpaque(path: string): boolean {
    return this.#opaque.has(path);
  }

  async entry(entry: TarEntry): Promise<void> {
    const parts = nameParts(entry.name);
    if (parts.length > MAX_DEPTH) throw invalid(`open ${nameText(entry.name)}: file name too long`);
    const base = parts.pop();
    if (base === undefined) this.#root(entry);
    else if (!this.#marker(parts, base)) await this.#plain(entry, this.#parent(parts), base);
    for (const header of this.#pending.splice(0)) await this.#sink.write(header);
  }

  #root(entry: TarEntry): void {
    if (entry.type !== 'directory') throw invalid(`invalid name ${JSON.stringify(nameText(entry.name))} in the layer`);
    this.#putDirectory('', entry);
  }

  /** Handles names that are not files of the image. */
  #marker(parents: readonly string[], base: string): boolean {
    if (parents.some((part) => part.startsWith(AUFS))) return true;
    if (parents.some((part) => part.startsWith(WHITEOUT))) throw invalid(`invalid whiteout in ${parents.join('/')}`);
    if (!base.startsWith(WHITEOUT)) return false;
    if (base === OPAQUE) this.#makeOpaque(this.#parent(parents));
    else if (!base.startsWith(AUFS)) this.#whiteout(parents, base.slice(WHITEOUT.length));
    return true;
  }

  /** A whiteout speaks of lower layers alone: what this layer itself has at the path stays. */
  #whiteout(parents: readonly string[], hidden: string): void {
    // `.wh..` and `.wh...` would put a device in place of the directory itself or its parent.
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw invalid(`invalid whiteout name: ${JSON.stringify(nameText(WHITEOUT + hidden))}`);
    }
    const path = joined(this.#parent(parents), hidden);
    const placed = this.#tree.at(path);
    if (placed === 'directory') this.#makeOpaque(path);
    // Below an opaque directory there is nothing to hide, and overlayfs would list a whiteout there as a file.
    if (placed !== undefined || this.#withinOpaque(path)) return;
    this.#tree.place(path, 'whiteout');
    this.#pending.push(headerOf({ ...impliedDirectory(path), type: 'char', mode: 0 }));
  }

  #withinOpaque(path: string): boolean {
    if (this.#opaque.size === 0) return false;
    return (
      this.#opaque.has('') || path.split('/').some((_, at, parts) => this.#opaque.has(parts.slice(0, at).join('/')))
    );
  }

  #makeOpaque(path: string): void {
    if (this.#opaque.has(path)) return;
    this.#opaque.add(path);
    const known = this.#tree.directories.get(path);
    if (known !== undefined || path === '') this.#putDirectory(path, known ?? impliedDirectory(path));
  }

  #putDirectory(path: string, entry: TarEntry): void {
    if (this.#tree.at(path) === 'whiteout') this.#opaque.add(path);
    const placed = { ...entry, name: path === '' ? './' : path, xattrs: this.#directoryXattrs(path, entry) };
    this.#tree.placeDirectory(path, placed);
    this.#pending.push(headerOf(placed));
  }

  #directoryXattrs(path: string, entry: TarEntry): ReadonlyMap<string, Buffer> {
    const xattrs = allowedXattrs(entry.xattrs);
    return this.#opaque.has(path) ? new Map([...xattrs, [OPAQUE_XATTR, Buffer.from('y')]]) : xattrs;
  }

  #parent(parts: readonly string[]): string {
    return this.#tree.directory(parts, (path) => this.#putDirectory(path, impliedDirectory(path))) ?? '';
  }

  async #plain(entry: TarEntry, parent: string, base: string): Promise<void> {
    const path = joined(parent, base);
    const linkName = entry.type === 'link' ? this.#linkTarget(entry, path) : entry.linkName;
    if (linkName === undefined) return;
    const placed = this.#tree.at(path);
    if (placed === 'symlink' || (placed === 'directory' && entry.type !== 'directory')) {
      await this.#remove(path);
      // The file a hard link means may have gone with it.
      if (entry.type === 'link') this.#linkTarget(entry, path);
    }
    if (entry.type === 'directory') return this.#putDirectory(path, entry);
    if (entry.type === 'symlink' && (linkName === '' || linkName.length > 4095)) {
      throw invalid(`symlink ${nameText(linkName)} /${nameText(path)}: no such file or directory`);
    }
    const symlink = entry.type === 'symlink' || (entry.type === 'link' && this.#tree.at(linkName) === 'symlink');
    this.#tree.place(path, symlink ? 'symlink' : 'other', this.#symlinkTarget(entry, linkName));
    const xattrs = allowedXattrs(entry.xattrs);
    this.#pending.push(headerOf({ ...entry, name: path, linkName, xattrs }));
    if (entry.type === 'file') await this.#data(entry);
  }

  /** A hard link to a symbolic link is that symbolic link. */
  #symlinkTarget(entry: TarEntry, linkName: string): string {
    return entry.type === 'link' ? this.#tree.target(linkName) : linkName;
  }

  /** The path a hard link means; undefined when it is the link itself. */
  #linkTarget(entry: TarEntry, path: string): string | undefined {
    const parts = nameParts(entry.linkName);
    const base = parts.pop();
    const parent = this.#tree.directory(parts);
    const target = base === undefined || parent === undefined ? undefined : joined(parent, base);
    const placed = target === undefined ? undefined : this.#tree.at(target);
    const told = `link /${nameText(parts.concat(base ?? '').join('/'))} /${nameText(path)}`;
    if (placed === 'directory') throw invalid(`${told}: operation not permitted`);
    // A link into a lower layer cannot be: layers are unpacked without each other, and whoever makes one from an
    // overlay directory has the file copied up, so that it is in the same archive.
    if (placed === undefined || placed === 'whiteout') throw invalid(`${told}: no such file or directory`);
    return target === path ? undefined : target;
  }

  /**
   * Something takes the place of a directory, which tar would refuse, or of a symbolic link, which tar may make only at
   * its end and then mistake what has come for its own placeholder. So what came so far is finished first.
   */
  async #remove(path: string): Promise<void> {
    this.#goneThrough += this.#tree.size;
    if (++this.#replaced > MAX_REPLACED || this.#goneThrough > MAX_GONE_THROUGH)
      throw invalid('the layer has too many entries that replace others');
    for (const header of this.#pending.splice(0)) await this.#sink.write(header);
    this.#tree.remove(path);
    this.#opaque.delete(path);
    await this.#sink.remove(path);
    // The rest is unpacked by another tar, which changes the times of directories that are done already.
    for (const directory of this.#tree.directories.values()) this.#pending.push(headerOf(directory));
  }

  async #data(entry: TarEntry): Promise<void> {
    for (const header of this.#pending.splice(0)) {
      const lag = this.#sink.write(header);
      if (lag !== undefined) await lag;
    }
    for (let part = await this.#reader.data(); part !== undefined; part = await this.#reader.data()) {
      const lag = this.#sink.write(part);
      if (lag !== undefined) await lag;
    }
    await this.#sink.write(ZEROS.subarray(0, padding(entry.size)));
    this.size += entry.sparse?.realSize ?? entry.size;
    if (!Number.isSafeInteger(this.size)) throw invalid('the layer is too large');
  }
}

function allowedXattrs(xattrs: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  if (xattrs.size === 0) return NO_XATTRS;
  return new Map([...xattrs].filter(([name]) => !RESERVED_XATTR.test(name)));
}

/** The header of a member for GNU tar, which decodes the names of attributes. */
function headerOf(entry: TarEntry): Buffer {
  if (entry.xattrs.size === 0) return encodeHeader(entry);
  const xattrs = new Map([...entry.xattrs].map(([name, value]) => [gnuXattrName(name), value]));
  return encodeHeader({ ...entry, xattrs });
}
