import { closeSync, createReadStream, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../../util/errors.ts';
import type { LogEntry } from '../engine.ts';
import type { LogFile } from './log-file.ts';
import type { LogFormat, ReadAt } from './log-format.ts';
import { rotatedFile } from './rotated-files.ts';

const readFd = promisify(read);
const READ_SIZE = 262_144;
const NOTHING = Buffer.alloc(0);

/** One file of a log, read from front to back. */
interface Part {
  /** The next bytes; empty when there are no more for now. */
  next(): Promise<Buffer>;
  /** Bytes given so far, and those left out before them. */
  readonly position: number;
  /** How often the file had been emptied when it was last read. */
  readonly cuts: number;
  close(): void;
}

/** @param cuts how often the file was emptied under its writer; each time it is read from the front again. */
function plainPart(fd: number, from: number, end: () => number, cuts: () => number = () => 0): Part {
  let position = from;
  let known = cuts();
  return {
    get position() {
      return position;
    },
    get cuts() {
      return known;
    },
    next: async () => {
      if (known !== cuts()) {
        known = cuts();
        position = 0;
      }
      const length = Math.min(READ_SIZE, end() - position);
      if (length <= 0) return NOTHING;
      const { bytesRead, buffer } = await readFd(fd, Buffer.allocUnsafeSlow(length), 0, length, position);
      // The writer notices only when it writes again that somebody emptied the file: until then there is nothing to read.
      position += bytesRead === 0 ? length : bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    close: () => closeSync(fd),
  };
}

function gzipPart(fd: number): Part {
  const source = createReadStream('', { fd, start: 0 });
  const stream = source.pipe(createGunzip({ chunkSize: READ_SIZE }));
  source.on('error', (error) => stream.destroy(error));
  // The reader gets it when it comes to this file; until then nobody else listens.
  stream.on('error', () => {});
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  return {
    position: 0,
    cuts: 0,
    next: async () => {
      const { value, done } = await chunks.next();
      // Views of a chunk are handed out, and the stream may use its buffer again.
      return done === true ? NOTHING : Buffer.from(value);
    },
    // The source closes its descriptor, once no read is under way.
    close: () => {
      source.destroy();
      stream.destroy();
    },
  };
}

interface Source {
  fd: number;
  gzip: boolean;
  /** Bytes that may be read, as long as nothing is added. */
  size: number;
}

function openSource(path: string): Source | undefined {
  try {
    const fd = openSync(path, 'r');
    return { fd, gzip: path.endsWith('.gz'), size: fstatSync(fd).size };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Reads a log from its oldest record on, through its rotated files, and on into what is being written. It holds one read's
 * worth of entries, whatever the size of the log.
 */
export class LogCursor implements Disposable {
  readonly #path: string;
  readonly #format: LogFormat;
  readonly #writer: LogFile | undefined;
  #parts: Part[] = [];
  #rest: Buffer = NOTHING;
  #skip = 0;
  #generation = 0;

  private constructor(path: string, format: LogFormat, writer: LogFile | undefined) {
    this.#path = path;
    this.#format = format;
    this.#writer = writer;
  }

  /** @param tail begin with the last n entries; undefined: with the first. */
  static async open(options: {
    path: string;
    format: LogFormat;
    /** The log while it is written to. */
    writer: LogFile | undefined;
    tail: number | undefined;
  }): Promise<LogCursor> {
    const { path, format, writer, tail } = options;
    const cursor = new LogCursor(path, format, writer);
    // All files are opened in one tick: nothing is rotated in between.
    const sources = cursor.#openAll();
    try {
      if (tail === undefined)
        cursor.#parts = sources.map((source, i) => cursor.#part(source, 0, i === sources.length - 1));
      else await cursor.#startAtTail(sources, tail);
    } catch (error) {
      for (const { fd } of sources) closeSync(fd);
      cursor[Symbol.dispose]();
      throw error;
    }
    return cursor;
  }

  /** The next entries; undefined when everything that is there has been read. */
  async next(): Promise<LogEntry[] | undefined> {
    for (;;) {
      const part = this.#parts[0];
      if (part === undefined) return undefined;
      const { cuts } = part;
      const bytes = await part.next();
      if (part.cuts !== cuts) this.#rest = NOTHING;
      if (bytes.length > 0) {
        const entries = this.#decode(bytes);
        if (entries.length > 0) return entries;
      } else if (!this.#nextPart()) return undefined;
    }
  }

  /** True when everything written until now has been given out: true only until the writer writes again. */
  get caughtUp(): boolean {
    return this.#writer === undefined ? this.#parts.length === 0 : this.hasReached(this.#writer);
  }

  /** True when it stands at or behind a place of the log that is written. */
  hasReached({ generation, cuts, size }: Pick<LogFile, 'generation' | 'cuts' | 'size'>): boolean {
    if (this.#generation !== generation) return this.#generation > generation;
    const [part, ...newer] = this.#parts;
    // Without a file, which somebody removed, there is nothing left to read.
    if (part === undefined) return true;
    if (newer.length > 0) return false;
    return part.cuts === cuts ? part.position >= size : part.cuts > cuts;
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts) part.close();
    this.#parts = [];
  }

  #decode(bytes: Buffer): LogEntry[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const entries: LogEntry[] = [];
    this.#rest = all.subarray(this.#format.decode(all, entries));
    if (this.#skip === 0) return entries;
    const skipped = Math.min(this.#skip, entries.length);
    this.#skip -= skipped;
    return entries.slice(skipped);
  }

  /** Moves on to a newer file. False when the one that is read is the newest. */
  #nextPart(): boolean {
    const current = this.#parts.length === 1;
    const rotations = (this.#writer?.generation ?? 0) - this.#generation;
    if (current && rotations === 0) return false;
    this.#parts.shift()?.close();
    this.#rest = NOTHING;
    if (current) this.#openNewer(rotations);
    return true;
  }

  /** Follows a rotation; files that were removed before they were read are passed over. */
  #openNewer(rotations: number): void {
    for (let index = rotations - 1; index >= 0; index--) {
      this.#generation += 1;
      const file = index === 0 ? this.#path : rotatedFile(this.#path, index);
      const source = file === undefined ? undefined : openSource(file);
      if (source === undefined) continue;
      this.#parts = [this.#part(source, 0, true)];
      return;
    }
  }

  #part({ fd, gzip, size }: Source, from: number, current: boolean): Part {
    if (gzip) return gzipPart(fd);
    const generation = this.#generation;
    const writer = this.#writer;
    if (!current || writer === undefined) return plainPart(fd, from, () => size);
    // Once rotated the file is complete.
    return plainPart(
      fd,
      from,
      () => (writer.generation === generation ? writer.size : fstatSync(fd).size),
      () => writer.cuts,
    );
  }

  /** Oldest first; the last one is the current file. */
  #openAll(): Source[] {
    this.#generation = this.#writer?.generation ?? 0;
    const sources: Source[] = [];
    try {
      this.#addSources(sources);
      return sources;
    } catch (error) {
      for (const { fd } of sources) closeSync(fd);
      throw error;
    }
  }

  #addSources(sources: Source[]): void {
    const current = openSource(this.#path);
    if (current === undefined) return;
    if (this.#writer !== undefined) current.size = this.#writer.size;
    sources.unshift(current);
    for (let index = 1; ; index++) {
      const file = rotatedFile(this.#path, index);
      const source = file === undefined ? undefined : openSource(file);
      if (source === undefined) return;
      sources.unshift(source);
    }
  }

  /** From the newest file back until there are enough entries; files before that are closed unread. */
  async #startAtTail(sources: Source[], tail: number): Promise<void> {
    let missing = tail;
    while (sources.length > 0) {
      const source = sources[sources.length - 1] as Source;
      const newest = this.#parts.length === 0;
      if (!newest && missing === 0) break;
      const { offset, skip, found } = source.gzip
        ? await this.#tailOfGzip(source, missing)
        : await this.#format.findTail(readerOf(source.fd), source.size, missing);
      missing -= found;
      this.#skip = skip;
      sources.pop();
      this.#parts.unshift(this.#part(source, offset, newest));
    }
    for (const { fd } of sources.splice(0)) closeSync(fd);
  }

  /** A compressed file cannot be read backwards: its entries are counted first. */
  async #tailOfGzip(source: Source, count: number): Promise<{ offset: number; skip: number; found: number }> {
    const fd = openSync(`/proc/self/fd/${source.fd}`, 'r');
    const part = gzipPart(fd);
    let rest: Buffer = NOTHING;
    let total = 0;
    try {
      for (let bytes = await part.next(); bytes.length > 0; bytes = await part.next()) {
        const entries: LogEntry[] = [];
        const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
        rest = all.subarray(this.#format.decode(all, entries));
        total += entries.length;
      }
    } finally {
      part.close();
    }
    return { offset: 0, skip: Math.max(0, total - count), found: Math.min(total, count) };
  }
}

function readerOf(fd: number): ReadAt {
  return async (position, length) => {
    const { bytesRead, buffer } = await readFd(fd, Buffer.allocUnsafe(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
}
