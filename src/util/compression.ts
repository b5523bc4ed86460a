import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { hasCode, internal, invalid, messageOf, unavailable } from './errors.ts';

export type Codec = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** How many bytes {@link codecOf} wants to see. */
const HEAD = 6;

/** Output is handed on in pieces of up to this many bytes. */
const PIECE = 256 * 1024;

/** Tells a compression from a stream's first bytes; what is none of the known ones counts as plain. */
export function codecOf(head: Uint8Array): Codec {
  const starts = (...magic: number[]) => magic.every((byte, i) => head[i] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  // A zstd stream may begin with a skippable frame, as zstd:chunked layers may.
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  return 'none';
}

/** Bounds on what a compressed stream may become. */
export interface ExpansionLimits {
  /** Bytes that may come out in all. */
  readonly bytes: number;
  /** Bytes out per byte in, once more than `ratioFrom` have come out. */
  readonly ratio: number;
  readonly ratioFrom: number;
}

/** Deflate cannot do better than 1032; what does is made to fill a disk. */
export const DEFAULT_EXPANSION: ExpansionLimits = { bytes: 2 ** 38, ratio: 1100, ratioFrom: 2 ** 30 };

export interface Expanded {
  readonly codec: Codec;
  /** To be read to its end or closed with `return()`. */
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * Looks at a stream's first bytes and undoes its compression: gzip with any number of members, bzip2, xz, zstd, or none.
 * zlib's work runs on Node's thread pool; bzip2 and xz are host tools in a pipe.
 *
 * @throws while reading: `invalid` for damaged data and for a stream that expands beyond `limits`.
 */
export async function expand(
  source: AsyncIterable<Uint8Array>,
  limits: ExpansionLimits = DEFAULT_EXPANSION,
): Promise<Expanded> {
  const counted = new Counted(source);
  const codec = codecOf(await counted.peek(HEAD));
  return { codec, chunks: bounded(decoded(codec, counted), counted, limits) };
}

function decoded(codec: Codec, source: Counted): AsyncIterable<Buffer> {
  if (codec === 'gzip') return throughZlib(source, createGunzip({ chunkSize: PIECE }), codec);
  if (codec === 'zstd') return throughZlib(source, createZstdDecompress({ chunkSize: PIECE }), codec);
  if (codec === 'bzip2' || codec === 'xz') return throughTool(source, codec);
  return source;
}

/** Passes chunks on, counts them, and lets the first bytes be seen before. */
class Counted implements AsyncIterable<Buffer> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #seen: Buffer[] = [];
  bytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #next(): Promise<Buffer | undefined> {
    const { done, value } = await this.#source.next();
    if (done === true) return undefined;
    this.bytes += value.byteLength;
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  async peek(length: number): Promise<Buffer> {
    while (this.bytes < length) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      this.#seen.push(chunk);
    }
    return Buffer.concat(this.#seen);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      yield* this.#seen.splice(0);
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
    } finally {
      await this.#source.return?.();
    }
  }
}

async function* bounded(
  chunks: AsyncIterable<Buffer>,
  source: Counted,
  limits: ExpansionLimits,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limits.bytes) throw invalid(`the archive expands to more than ${limits.bytes} bytes`);
    if (bytes > limits.ratioFrom && bytes > source.bytes * limits.ratio) {
      throw invalid(`the archive expands to more than ${limits.ratio} times its size`);
    }
    yield chunk;
  }
}

const DAMAGED = /^(?:Z_|ERR_ZSTD|ZSTD_|ERR_BUFFER)/;

function damage(error: unknown, codec: Codec): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return DAMAGED.test(code) ? invalid(`${codec}: ${messageOf(error)}`, error) : error;
}

async function* throughZlib(
  source: Counted,
  decoder: ReturnType<typeof createGunzip>,
  codec: Codec,
): AsyncGenerator<Buffer> {
  const feeding = pipeline(Readable.from(source, { objectMode: false }), decoder);
  // Seen by the reader of the decoder below; awaited here so that nothing is left running.
  feeding.catch(() => {});
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
    await feeding;
  } catch (error) {
    throw damage(error, codec);
  } finally {
    decoder.destroy();
  }
}

async function* throughTool(source: Counted, tool: 'bzip2' | 'xz'): AsyncGenerator<Buffer> {
  const child = spawn(tool, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const closed = once(child, 'close');
  closed.catch(() => {});
  let sourceError: unknown;
  const feeding = pipeline(Readable.from(source, { objectMode: false }), child.stdin).catch((error: unknown) => {
    // A tool that gave up closes the pipe; its own words tell why.
    if (!hasCode(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) sourceError = error;
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    await feeding;
    if (sourceError !== undefined) throw sourceError;
    const [code] = (await closed) as [number | null];
    if (code !== 0) throw invalid(Buffer.concat(said).toString().trim() || `${tool}: exit status ${code}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw unavailable(`the host tool "${tool}" is not installed`, error);
    throw error instanceof Error ? error : internal(messageOf(error));
  } finally {
    child.kill('SIGKILL');
  }
}
