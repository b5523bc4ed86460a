import { spawn } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { hasCode, invalid, unavailable } from '../../util/errors.ts';

const MAGICS = [
  { codec: 'gzip', magic: Buffer.from([0x1f, 0x8b]) },
  { codec: 'bzip2', magic: Buffer.from('BZh') },
  { codec: 'xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { codec: 'zstd', magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
] as const;
const MAGIC_LENGTH = 6;

/**
 * The bytes of `source` with one layer of compression taken off, recognised by its magic: gzip, bzip2, xz, zstd or none.
 *
 * The result fails with `invalid` on damaged data, with `unavailable` when the host tool for bzip2 or xz is missing.
 */
export async function decompress(source: Readable, signal: AbortSignal): Promise<Readable> {
  const { head, rest } = await peek(source);
  const codec = MAGICS.find(({ magic }) => head.subarray(0, magic.length).equals(magic))?.codec;
  return codec === undefined ? rest : Readable.from(told(inflate(codec, rest, signal)), { objectMode: false });
}

/** The same bytes, with errors in the words of the engine. */
async function* told(inflated: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* inflated;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !/^Z(STD)?_/.test(String(error.code))) throw error;
    throw invalid(`the archive's compression is damaged: ${error.message}`, error);
  }
}

/** The first bytes, and a stream of all of them. */
async function peek(source: Readable): Promise<{ head: Buffer; rest: Readable }> {
  const iterator: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let ended = false;
  while (!ended && held.reduce((sum, chunk) => sum + chunk.length, 0) < MAGIC_LENGTH) {
    const { value, done } = await iterator.next();
    if (done === true) ended = true;
    else held.push(Buffer.from(value));
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* held;
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(held), rest: Readable.from(all()) };
}

type Codec = (typeof MAGICS)[number]['codec'];

function inflate(codec: Codec, input: Readable, signal: AbortSignal): Readable {
  const options = { chunkSize: 1 << 18 };
  if (codec === 'bzip2' || codec === 'xz') {
    const output = new PassThrough();
    throughTool(codec, input, output, signal).catch((error: Error) => output.destroy(error));
    return output;
  }
  const output = codec === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  // Whoever reads the output meets its error there.
  pipeline(input, output, { signal }).catch(() => {});
  return output;
}

async function throughTool(tool: string, input: Readable, output: PassThrough, signal: AbortSignal): Promise<void> {
  const child = spawn(tool, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'], signal });
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  const ended = new Promise<number>((resolve, reject) => {
    child.on('close', (code) => resolve(code ?? -1));
    child.on('error', (error) =>
      reject(hasCode(error, 'ENOENT') ? unavailable(`the host tool "${tool}" is not installed`, error) : error),
    );
  });
  const feed = pipeline(input, child.stdin, { signal }).catch((error: unknown) => {
    // The tool's own words come with its exit status.
    if (!hasCode(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
  const drain = pipeline(child.stdout, output, { signal, end: false });
  const results = await Promise.allSettled([ended, feed, drain]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const code = await ended;
  if (code !== 0) throw invalid(`${tool}: ${Buffer.concat(words).toString().trim() || `exit status ${code}`}`);
  output.end();
}
