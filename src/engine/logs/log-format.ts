import type { LogEntry, OutputName } from '../engine.ts';
import type { LogClock } from './log-clock.ts';

/** Bytes ready to be written: the first `length` of `buffer`, good until the next call. */
export interface Encoded {
  readonly buffer: Buffer;
  readonly length: number;
}

/** Reads `length` bytes at `position`, less at the end of the file. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** How a driver lays records out in its file. */
export interface LogFormat {
  /** Encodes bytes that consist of whole records: lines, and cuts of lines too long. */
  encode(stream: OutputName, bytes: Buffer, clock: LogClock): Encoded;
  /** Adds the entries of every whole unit in `bytes` to `out`; gives the number of bytes used. May write into `bytes`. */
  decode(bytes: Buffer, out: LogEntry[]): number;
  /** The end of the last whole unit in a file of `size` bytes: what follows was torn when the daemon was killed. */
  wholeEnd(fd: number, size: number): number;
  /** Where the last `count` entries among the first `size` bytes begin; `skip` entries there come before them. */
  findTail(readAt: ReadAt, size: number, count: number): Promise<{ offset: number; skip: number; found: number }>;
}
