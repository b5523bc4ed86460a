import { invalid } from '../errors.ts';
import { ByteSource } from './byte-source.ts';
import { NO_XATTRS, type SparseMap, type TarEntry, type TarType } from './entry.ts';
import { BLOCK, isZeroBlock, padding, parseHeader, type RawHeader } from './header.ts';
import { type PaxRecords, parsePax, paxInteger, paxTime } from './pax.ts';
import { readOldSparse, readPaxSparse } from './sparse.ts';

/** Extended headers and long names beyond this are refused, as Go's reader does. */
const MAX_SPECIAL = 1 << 20;

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** What stood before a header and belongs to it. */
interface Prelude {
  pax: PaxRecords;
  name: string | undefined;
  linkName: string | undefined;
}

/**
 * Reads an archive member by member: `next()`, then its data with `data()` until undefined (or not at all), and so on.
 * Understands ustar, GNU (long names, base-256 numbers, sparse) and PAX (all records that concern files).
 *
 * @throws `invalid` with the words of Go's reader: `archive/tar: invalid tar header`, `unexpected EOF`.
 */
export class TarReader {
  readonly #source: ByteSource;
  /** Data of the current member not read yet, and the filling after it. */
  #left = 0;
  #padding = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = new ByteSource(source);
  }

  /** The next member; undefined at the end of the archive. Skips what was not read of the one before. */
  async next(): Promise<TarEntry | undefined> {
    const prelude: Prelude = { pax: [], name: undefined, linkName: undefined };
    for (;;) {
      const header = await this.#header();
      if (header === undefined) return undefined;
      if (!(await this.#special(header, prelude))) return this.#entry(header, prelude);
    }
  }

  /** Some of the current member's data; undefined when it was all read. */
  async data(): Promise<Buffer | undefined> {
    if (this.#left === 0) return undefined;
    const part = await this.#source.some(this.#left);
    if (part === undefined) throw invalid('unexpected EOF');
    this.#left -= part.length;
    return part;
  }

  /** The current member's data at once. @throws `invalid` when there is more than `limit`. */
  async readAll(limit: number): Promise<Buffer> {
    if (this.#left > limit) throw invalid(`a file in the archive is larger than ${limit} bytes`);
    const length = this.#left;
    this.#left = 0;
    // A copy: what comes from the source shares its chunk's memory.
    return Buffer.from(await this.#source.take(length));
  }

  /** The current member's data as a stream of chunks. */
  async *body(): AsyncGenerator<Buffer> {
    for (let part = await this.data(); part !== undefined; part = await this.data()) yield part;
  }

  /** Reads what follows the archive's end, so that a digest over the stream covers it. */
  async drain(): Promise<void> {
    await this.#source.drain();
  }

  /** Stops reading; the source is told. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  async #block(): Promise<Buffer> {
    return this.#source.takeNow(BLOCK) ?? (await this.#source.take(BLOCK));
  }

  async #header(): Promise<RawHeader | undefined> {
    const rest = this.#left + this.#padding;
    if (rest > 0 && this.#source.takeNow(rest) === undefined) await this.#source.skip(rest);
    this.#left = 0;
    this.#padding = 0;
    // An archive cut at a block's end is taken as ended, like every other reader does; digests tell.
    const block = this.#source.takeNow(BLOCK) ?? ((await this.#source.ended()) ? undefined : await this.#block());
    if (block === undefined) return undefined;
    if (!isZeroBlock(block)) return parseHeader(block);
    if (!(await this.#source.ended()) && !isZeroBlock(await this.#block())) {
      throw invalid('archive/tar: invalid tar header');
    }
    return undefined;
  }

  async #payload(header: RawHeader): Promise<Buffer> {
    if (header.size > MAX_SPECIAL) throw invalid('archive/tar: header field too long');
    const data = Buffer.from(await this.#source.take(header.size));
    await this.#source.skip(padding(header.size));
    return data;
  }

  /** Takes in a header that only says something about the next one. */
  async #special(header: RawHeader, prelude: Prelude): Promise<boolean> {
    if (header.typeflag === 'x' || header.typeflag === 'X') prelude.pax = parsePax(await this.#payload(header));
    // What would hold for all that follows is checked and then ignored, as Docker does.
    else if (header.typeflag === 'g') parsePax(await this.#payload(header));
    else if (header.typeflag === 'L') prelude.name = untilZero(await this.#payload(header));
    else if (header.typeflag === 'K') prelude.linkName = untilZero(await this.#payload(header));
    else return false;
    return true;
  }

  async #entry(header: RawHeader, prelude: Prelude): Promise<TarEntry> {
    const base = withRecords(header, prelude);
    const type = typeOf(header.typeflag, base.name);
    if (type !== 'file') return { ...base, type, size: 0 };
    const holes = await this.#sparse(header, prelude.pax, base.size);
    this.#left = holes?.size ?? base.size;
    this.#padding = padding(base.size);
    if (holes === undefined) return { ...base, type };
    return { ...base, type, size: holes.size, sparse: holes.map };
  }

  async #sparse(
    header: RawHeader,
    records: PaxRecords,
    size: number,
  ): Promise<{ map: SparseMap; size: number } | undefined> {
    if (header.typeflag === 'S') return { map: await readOldSparse(header, size, this.#source), size };
    return records.length === 0 ? undefined : readPaxSparse(records, size, this.#source);
  }
}

function untilZero(data: Buffer): string {
  const end = data.indexOf(0);
  return data.toString('latin1', 0, end < 0 ? data.length : end);
}

function typeOf(typeflag: string, name: string): TarType {
  const type = TYPES[typeflag];
  if (type === undefined) throw invalid(`unhandled tar header type ${typeflag.charCodeAt(0)}`);
  return typeflag === '\0' && name.endsWith('/') ? 'directory' : type;
}

type Fields = { -readonly [K in keyof Omit<TarEntry, 'type' | 'sparse'>]: TarEntry[K] };

function pathValue(value: Buffer): string {
  if (value.includes(0)) throw invalid('archive/tar: invalid tar header');
  return value.toString('latin1');
}

const NUMBERS: Readonly<Record<string, 'uid' | 'gid' | 'size'>> = { uid: 'uid', gid: 'gid', size: 'size' };

function withRecords(header: RawHeader, prelude: Prelude): Fields {
  const { mode, uid, gid, size, mtime, devMajor, devMinor } = header;
  const name = prelude.name ?? header.name;
  const linkName = prelude.linkName ?? header.linkName;
  const fields: Fields = {
    name,
    linkName,
    mode,
    uid,
    gid,
    size,
    mtime,
    devMajor,
    devMinor,
    xattrs: NO_XATTRS,
  };
  const xattrs = new Map<string, Buffer>();
  let sparseName: string | undefined;
  for (const [key, value] of prelude.pax) {
    // An empty value takes an earlier one back; an attribute may be empty.
    const number = NUMBERS[key];
    if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), value);
    else if (key.startsWith('LIBARCHIVE.xattr.')) setLibarchive(xattrs, key, value);
    else if (value.length === 0) continue;
    else if (key === 'GNU.sparse.name') sparseName = pathValue(value);
    else if (key === 'path') fields.name = pathValue(value);
    else if (key === 'linkpath') fields.linkName = pathValue(value);
    else if (key === 'mtime') fields.mtime = paxTime(value);
    else if (number !== undefined) fields[number] = paxInteger(value);
  }
  if (xattrs.size > 0) fields.xattrs = xattrs;
  // The other name of a sparse member is made up, for readers that do not know the format.
  fields.name = sparseName ?? fields.name;
  const { uid: u, gid: g, size: s } = fields;
  if (u < 0 || g < 0 || s < 0) throw invalid('archive/tar: invalid tar header');
  return fields;
}

/** libarchive writes names percent-encoded and values in base64, and SCHILY records beside them, which count. */
function setLibarchive(xattrs: Map<string, Buffer>, key: string, value: Buffer): void {
  const encoded = key.slice('LIBARCHIVE.xattr.'.length);
  const name = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'));
}
