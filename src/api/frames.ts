import type { OutputName } from '../engine/engine.ts';

const TYPE: Record<OutputName, number> = { stdout: 1, stderr: 2 };

/** The 8 bytes before each payload of a stream that carries both outputs: type, three zeros, length in big endian. */
export function frameHeader(stream: OutputName, length: number): Buffer {
  const header = Buffer.alloc(8);
  header[0] = TYPE[stream];
  header.writeUInt32BE(length, 4);
  return header;
}

/** Media type of a process's output. Clients older than 1.42 were told `raw` in both cases. */
export function outputType(tty: boolean, api: number): string {
  return `application/vnd.docker.${tty || api < 42 ? 'raw' : 'multiplexed'}-stream`;
}
