import type { OutputName } from '../engine/engine.ts';

const TYPE: Record<OutputName, number> = { stdout: 1, stderr: 2 };

const HEADER_SIZE = 8;

/** The 8 bytes before each payload of a stream that carries both outputs: type, three zeros, length in big endian. */
export function frameHeader(stream: OutputName, length: number): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  writeHeader(header, 0, stream, length);
  return header;
}

function writeHeader(into: Buffer, at: number, stream: OutputName, length: number): void {
  into.writeUInt32BE(TYPE[stream] << 24, at);
  into.writeUInt32BE(length, at + 4);
}

/** Many payloads, each with its header, in one buffer: a million lines are too many for buffers of their own. */
export function framed(payloads: readonly { stream: OutputName; data: Buffer }[]): Buffer {
  let size = 0;
  for (const { data } of payloads) size += HEADER_SIZE + data.length;
  const all = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { stream, data } of payloads) {
    writeHeader(all, at, stream, data.length);
    at += HEADER_SIZE + data.copy(all, at + HEADER_SIZE);
  }
  return all;
}

/** Media type of a process's output. Clients older than 1.42 were told `raw` in both cases. */
export function outputType(tty: boolean, api: number): string {
  return `application/vnd.docker.${tty || api < 42 ? 'raw' : 'multiplexed'}-stream`;
}
