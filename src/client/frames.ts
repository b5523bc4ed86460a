/** What one frame carries; 3 is an error of the engine itself, in-band. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'systemerr';

const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'systemerr'];
const HEADER = 8;

/**
 * Takes Docker's framed output apart: 8 bytes of header (stream, three zeros, length as big-endian uint32), then the payload.
 * Payload is handed on as it arrives, a frame need not be complete.
 *
 * @returns a function to feed with chunks. @throws when a header names no stream.
 */
export function frameReader(onData: (stream: FrameStream, data: Buffer) => void): (chunk: Buffer) => void {
  let header = Buffer.alloc(0);
  let stream: FrameStream = 'stdout';
  let left = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const take = chunk.subarray(at, at + HEADER - header.length);
        header = Buffer.concat([header, take]);
        at += take.length;
        if (header.length < HEADER) return;
        const named = STREAMS[header[0] ?? -1];
        if (named === undefined) throw new Error(`Unrecognized input header: ${header[0]}`);
        stream = named;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      onData(stream, part);
    }
  };
}
