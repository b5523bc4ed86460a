const NEWLINE = 0x0a;

/** Cuts output behind line ends into parts of at most `max` bytes; a longer line is a part of its own. */
export function* wholeLines(bytes: Buffer, max: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.length - start <= max ? bytes.length : lineEnd(bytes, start, max);
    yield bytes.subarray(start, end);
    start = end;
  }
}

function lineEnd(bytes: Buffer, start: number, max: number): number {
  const last = bytes.lastIndexOf(NEWLINE, start + max - 1);
  if (last >= start) return last + 1;
  const next = bytes.indexOf(NEWLINE, start + max);
  return next < 0 ? bytes.length : next + 1;
}
