import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, internal, invalid } from '../util/errors.ts';
import type { Blob, Expected } from './content.ts';

/** Bytes written with one call. */
const BATCH = 1 << 20;

/** A complete and verified blob, not in its place yet, and not flushed to disk. */
export interface WrittenBlob {
  readonly blob: Blob;
  readonly path: string;
}

/** Says what everybody knows from other tools when the disk is full. */
export function diskError(error: unknown, what: string): unknown {
  return hasCode(error, 'ENOSPC') ? internal(`write ${what}: no space left on device`, error) : error;
}

/** Whether an error says so, in the system's words or in those of `diskError`. */
export const isDiskFull = (error: unknown): boolean =>
  hasCode(error, 'ENOSPC') || (error instanceof Error && hasCode(error.cause, 'ENOSPC'));

/**
 * Writes a stream into a new file in `dir` and checks it. Nothing is left behind by a failure.
 *
 * @throws `invalid` when it is not what was expected; `internal` `… no space left on device`.
 */
export async function writeBlob(
  source: AsyncIterable<Uint8Array>,
  dir: string,
  expected: Expected,
): Promise<WrittenBlob> {
  const path = join(dir, randomBytes(8).toString('hex'));
  try {
    await using handle = await open(path, 'wx', 0o640);
    const hash = createHash('sha256');
    const size = await copyBytes(source, handle, hash, { ...expected, limit: expected.limit ?? expected.size });
    const digest = `sha256:${hash.digest('hex')}`;
    checkBlob(digest, size, expected);
    return { blob: { digest, size, mediaType: expected.mediaType ?? '' }, path };
  } catch (error) {
    await rm(path, { force: true });
    throw diskError(error, path);
  }
}

/**
 * Appends a stream to a file and to a hash; gives the number of bytes. When it breaks off, what has come is in the file.
 *
 * @throws `invalid` when there are more than `limit`.
 */
export async function copyBytes(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  hash: Hash,
  { limit = Number.POSITIVE_INFINITY, signal }: { limit?: number | undefined; signal?: AbortSignal | undefined },
): Promise<number> {
  const writer = new BatchWriter(handle);
  let size = 0;
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      size += chunk.byteLength;
      if (size > limit) throw invalid(`a blob has more than the ${limit} bytes expected`);
      hash.update(chunk);
      const full = writer.add(chunk);
      if (full !== undefined) await full;
    }
    signal?.throwIfAborted();
  } catch (error) {
    await writer.finish().catch(() => {});
    throw error;
  }
  await writer.finish();
  return size;
}

function checkBlob(digest: string, size: number, expected: Expected): void {
  if (expected.size !== undefined && expected.size !== size) {
    throw invalid(`a blob has ${size} bytes where ${expected.size} were expected`);
  }
  if (expected.digest !== undefined && expected.digest !== digest) {
    throw invalid(`filesystem layer verification failed for digest ${expected.digest}`);
  }
}

/** Writes many small chunks with few calls, on a thread of the pool, while the next ones are hashed. */
class BatchWriter {
  readonly #handle: FileHandle;
  #batch: Uint8Array[] = [];
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** A promise when the disk lags. The chunk must not change any more. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    this.#batch.push(chunk);
    this.#bytes += chunk.byteLength;
    return this.#bytes < BATCH ? undefined : this.#next();
  }

  async finish(): Promise<void> {
    await this.#next();
    await this.#writing;
  }

  async #next(): Promise<void> {
    await this.#writing;
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    this.#writing = writeAll(this.#handle, batch);
    // Whoever adds or finishes next is told.
    this.#writing.catch(() => {});
  }
}

async function writeAll(handle: FileHandle, batch: Uint8Array[]): Promise<void> {
  for (let left = batch; left.length > 0; ) {
    const { bytesWritten } = await handle.writev(left);
    left = without(left, bytesWritten);
  }
}

/** What remains of a list of chunks when its first `bytes` are gone. */
function without(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let at = 0;
  let gone = bytes;
  for (let chunk = chunks[at]; chunk !== undefined && chunk.byteLength <= gone; chunk = chunks[++at]) {
    gone -= chunk.byteLength;
  }
  const [first, ...rest] = chunks.slice(at);
  return first === undefined ? [] : [first.subarray(gone), ...rest];
}
