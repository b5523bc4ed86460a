import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';

export type Compression = 'gzip' | 'zlib' | 'none';

/** Bytes of one datagram, and those that a chunk's head takes of them. */
const DATAGRAM = 1420;
const HEAD = 12;
const MOST_CHUNKS = 128;

/**
 * A message as GELF sends it over UDP: compressed, and in chunks when it is longer than a datagram.
 *
 * @throws when it would take more than 128 chunks, which no receiver accepts.
 */
export function gelfDatagrams(message: Buffer, compression: Compression, level: number): Buffer[] {
  const bytes = compress(message, compression, level);
  if (bytes.length <= DATAGRAM) return [bytes];
  const size = DATAGRAM - HEAD;
  const count = Math.ceil(bytes.length / size);
  if (count > MOST_CHUNKS) throw new Error(`msg too large, would need ${count} chunks`);
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([i, count]), bytes.subarray(i * size, (i + 1) * size)]),
  );
}

function compress(message: Buffer, compression: Compression, level: number): Buffer {
  if (compression === 'none') return message;
  return compression === 'gzip' ? gzipSync(message, { level }) : deflateSync(message, { level });
}
