import type { Readable } from 'node:stream';
import { invalid } from '../util/errors.ts';

/** Reads a body whole. @throws `invalid` when it has more bytes than `limit`. */
export async function readLimited(body: Readable, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > limit) throw invalid(`a registry’s answer has more than the ${limit} bytes allowed`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
