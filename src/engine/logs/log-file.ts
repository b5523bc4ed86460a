import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type Log, silentLog } from '../../util/log.ts';
import type { LogFormat } from './log-format.ts';
import type { LogLimits } from './log-limits.ts';
import { Compressor, removeOlder, shiftFiles } from './rotated-files.ts';

/**
 * The file a log is written to, and its older ones. Everything written is whole records, so that the first `size` bytes are at
 * every moment what a reader may read.
 */
export class LogFile {
  readonly path: string;
  /** How it is laid out. */
  readonly format: LogFormat;
  /** Bytes in the current file. */
  size = 0;
  /** Counts the files since it was opened: file `generation - n` is the `n`th older one. */
  generation = 0;
  /** Counts how often somebody emptied the current file, as `truncate -s 0` on a log's path does; what follows is appended to what is left. */
  cuts = 0;
  closed = false;
  readonly #limits: LogLimits;
  readonly #log: Log;
  readonly #compressor: Compressor | undefined;
  readonly #listeners = new Set<() => void>();
  #fd: number;
  #inode = 0;
  #lost = 0;

  /** Opens or makes the file; a record torn by a crash is cut off. */
  constructor(path: string, limits: LogLimits, format: LogFormat, log: Log = silentLog()) {
    this.path = path;
    this.format = format;
    this.#limits = limits;
    this.#log = log;
    this.#fd = this.#open();
    const whole = format.wholeEnd(this.#fd, this.size);
    if (whole < this.size) ftruncateSync(this.#fd, whole);
    this.size = whole;
    if (!limits.compress) return;
    this.#compressor = new Compressor(path, limits.maxFiles, (error) =>
      log.error('an older log file stays uncompressed', { path, error }),
    );
    this.#compressor.shifted();
  }

  /** Identifies the current file and its content, across restarts. */
  get mark(): string {
    return `${this.#inode}:${this.size}`;
  }

  /** Writes records. A full disk costs these records and no more: it is reported once, and the next write tries again. */
  append(buffer: Buffer, length: number): void {
    try {
      this.#noticeCut();
      if (this.size > 0 && this.size + length > this.#limits.maxSize) this.#rotate();
      this.#write(buffer, length);
      this.size += length;
    } catch (error) {
      if (this.#lost === 0) this.#log.error('a container log cannot be written', { path: this.path, error });
      this.#lost += length;
      return;
    }
    if (this.#lost > 0) {
      this.#log.warn('a container log can be written again', { path: this.path, lostBytes: this.#lost });
      this.#lost = 0;
    }
    this.#notify();
  }

  /** Empties the log, its older files included; its readers go on with what comes next. @throws system errors. */
  clear(): void {
    removeOlder(this.path);
    if (this.#fd === -1) this.#fd = this.#open();
    ftruncateSync(this.#fd, 0);
    this.size = 0;
    this.cuts += 1;
    this.#notify();
  }

  /** Calls `listener` after every append and at the end. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    this.#notify();
  }

  /** Resolves when no older file is being compressed. */
  async idle(): Promise<void> {
    await this.#compressor?.idle();
  }

  #open(): number {
    const fd = openSync(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
    const { size, ino } = fstatSync(fd);
    this.size = size;
    this.#inode = ino;
    return fd;
  }

  #noticeCut(): void {
    if (this.#fd === -1) return;
    const { size } = fstatSync(this.#fd);
    if (size >= this.size) return;
    this.size = size;
    this.cuts += 1;
  }

  #write(buffer: Buffer, length: number): void {
    if (this.#fd === -1) this.#fd = this.#open();
    try {
      for (let done = 0; done < length; ) {
        done += writeSync(this.#fd, buffer, done, length - done);
      }
    } catch (error) {
      ftruncateSync(this.#fd, this.size);
      throw error;
    }
  }

  #rotate(): void {
    // What fails from here on is tried again by the next write.
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    shiftFiles(this.path, this.#limits.maxFiles);
    this.generation += 1;
    this.size = 0;
    this.#fd = this.#open();
    this.#compressor?.shifted();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
