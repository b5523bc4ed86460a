/** A record of a log holds at most this many bytes of a line: longer lines are cut, as in Docker. */
export const MAX_RECORD = 16_384;

const NEWLINE = 0x0a;

/**
 * Where the record that starts at `start` ends: after its newline, or after 16 KiB, but never inside a UTF-8 sequence.
 * `end` when the bytes up to there are an incomplete line.
 */
export function recordEnd(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(start + MAX_RECORD, end);
  const newline = bytes.subarray(start, limit).indexOf(NEWLINE);
  if (newline !== -1) return start + newline + 1;
  if (limit === end && end - start < MAX_RECORD) return end;
  // The newline that ends a line of exactly 16 KiB is a record of its own, as in Docker.
  return characterBoundary(bytes, start, limit);
}

/** `at`, or the start of the UTF-8 sequence that `at` would cut; looks only at bytes before it, so every reader cuts alike. */
function characterBoundary(bytes: Buffer, start: number, at: number): number {
  for (let back = 1; back <= 3 && at - back > start; back++) {
    const byte = bytes[at - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? at - back : at;
  }
  return at;
}

/** True when a line among the bytes is longer than one record. */
export function hasLongLine(bytes: Buffer): boolean {
  let start = 0;
  while (bytes.length - start > MAX_RECORD) {
    const newline = bytes.lastIndexOf(NEWLINE, start + MAX_RECORD - 1);
    if (newline < start) return true;
    start = newline + 1;
  }
  return bytes.length - start >= MAX_RECORD && bytes[bytes.length - 1] !== NEWLINE;
}

const EMPTY = Buffer.alloc(0);

/** Collects one stream of a process and gives it back in whole records. */
export class LineBuffer {
  /** The start of a line that has not ended yet. */
  rest: Buffer = EMPTY;

  /** The bytes that can be recorded now: lines, and cuts of a line that got too long. Empty when there are none. */
  push(chunk: Buffer): Buffer {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let done = bytes.lastIndexOf(NEWLINE) + 1;
    while (bytes.length - done >= MAX_RECORD) done = recordEnd(bytes, done, bytes.length);
    // A copy: the chunk is large, what is left of it is not.
    this.rest = done === bytes.length ? EMPTY : Buffer.from(bytes.subarray(done));
    return bytes.subarray(0, done);
  }

  /** What is left when the stream has ended. */
  flush(): Buffer {
    const rest = this.rest;
    this.rest = EMPTY;
    return rest;
  }
}
