import { readSync } from 'node:fs';
import { formatRfc3339NanoFixed } from '../../util/time.ts';
import type { LogEntry, OutputName } from '../engine.ts';
import { recordEnd } from './line-cut.ts';
import type { LogClock } from './log-clock.ts';
import type { Encoded, LogFormat, ReadAt } from './log-format.ts';

// A file of the `local` driver is a row of blocks. A block is what was read from one stream at one time:
//   u32  n, the length of the bytes       u8 stream, 1 stdout or 2 stderr       3 bytes zero
//   u64  nanoseconds since the epoch      n bytes as printed                    u32 n again, to read backwards
// Numbers are little endian. An entry is one line of a block, cut at 16 KiB; bytes that are not UTF-8 stay what they are.
const HEADER = 16;
const TRAILER = 4;
const MAX_BLOCK = 256 * 1024 * 1024;
const NO_ATTRS: Readonly<Record<string, string>> = Object.freeze({});

let scratch = Buffer.allocUnsafeSlow(131_072);

function encode(stream: OutputName, bytes: Buffer, clock: LogClock): Encoded {
  const length = HEADER + bytes.length + TRAILER;
  if (length > scratch.length) scratch = Buffer.allocUnsafeSlow(length);
  scratch.writeUInt32LE(bytes.length, 0);
  scratch.writeUInt32LE(stream === 'stdout' ? 1 : 2, 4);
  scratch.writeBigUInt64LE(clock.nanos(), 8);
  bytes.copy(scratch, HEADER);
  scratch.writeUInt32LE(bytes.length, HEADER + bytes.length);
  return { buffer: scratch, length };
}

function decode(bytes: Buffer, out: LogEntry[]): number {
  let start = 0;
  while (bytes.length - start >= HEADER + TRAILER) {
    const end = start + HEADER + bytes.readUInt32LE(start);
    if (end + TRAILER > bytes.length) break;
    decodeBlock(bytes, start, end, out);
    start = end + TRAILER;
  }
  return start;
}

function decodeBlock(bytes: Buffer, start: number, end: number, out: LogEntry[]): void {
  const stream: OutputName = bytes[start + 4] === 2 ? 'stderr' : 'stdout';
  const time = formatRfc3339NanoFixed(bytes.readBigUInt64LE(start + 8));
  for (let at = start + HEADER; at < end; ) {
    const next = recordEnd(bytes, at, end);
    out.push({ stream, time, data: bytes.subarray(at, next), attrs: NO_ATTRS });
    at = next;
  }
}

/** Looks at the last trailer; only when that does not fit, walks the blocks from the start. */
function wholeEnd(fd: number, size: number): number {
  const number = Buffer.alloc(TRAILER);
  const at = (position: number): number =>
    readSync(fd, number, 0, TRAILER, position) === TRAILER ? number.readUInt32LE(0) : -1;
  if (size === 0) return 0;
  const last = size >= HEADER + TRAILER ? at(size - TRAILER) : -1;
  if (last > 0 && last <= size - HEADER - TRAILER && at(size - TRAILER - last - HEADER) === last) return size;
  let end = 0;
  while (size - end >= HEADER + TRAILER) {
    const length = at(end);
    const next = end + HEADER + length + TRAILER;
    if (length <= 0 || length > MAX_BLOCK || next > size || at(next - TRAILER) !== length) break;
    end = next;
  }
  return end;
}

async function findTail(readAt: ReadAt, size: number, count: number) {
  let offset = size;
  let found = 0;
  while (offset > 0 && found < count) {
    const length = (await readAt(offset - TRAILER, TRAILER)).readUInt32LE(0);
    const start = offset - TRAILER - length - HEADER;
    if (start < 0) break;
    const entries: LogEntry[] = [];
    decode(await readAt(start, offset - start), entries);
    offset = start;
    found += entries.length;
  }
  return { offset, skip: Math.max(0, found - count), found: Math.min(found, count) };
}

/** The format of the `local` driver: compact, lossless, and cheap to write. It is our own, not Docker's. */
export function localFormat(): LogFormat {
  return { encode, decode, wholeEnd, findTail };
}
