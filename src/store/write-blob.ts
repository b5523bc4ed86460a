import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, internal, invalid } from '../util/errors.ts';
import type { Blob, Expected } from './content.ts';

/** A complete and verified blob, not in its place yet, and not flushed to disk. */
export interface WrittenBlob {
  readonly blob: Blob;
  readonly path: string;
}

/** Says what everybody knows from other tools when the disk is full. */
export function diskError(error: unknown, what: string): unknown {
  return hasCode(error, 'ENOSPC') ? internal(`write ${what}: no space left on device`, error) : error;
}

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
    const { digest, size } = await copy(source, handle, expected);
    checkBlob(digest, size, expected);
    return { blob: { digest, size, mediaType: expected.mediaType ?? '' }, path };
  } catch (error) {
    await rm(path, { force: true });
    throw diskError(error, path);
  }
}

async function copy(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  { size: told, limit = told ?? Number.POSITIVE_INFINITY, signal }: Expected,
): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    signal?.throwIfAborted();
    size += chunk.byteLength;
    if (size > limit) throw invalid(`a blob has more than the ${limit} bytes expected`);
    // Hashed here while a thread of the pool writes.
    const writing = writeAll(handle, chunk);
    hash.update(chunk);
    await writing;
  }
  signal?.throwIfAborted();
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function checkBlob(digest: string, size: number, expected: Expected): void {
  if (expected.size !== undefined && expected.size !== size) {
    throw invalid(`a blob has ${size} bytes where ${expected.size} were expected`);
  }
  if (expected.digest !== undefined && expected.digest !== digest) {
    throw invalid(`filesystem layer verification failed for digest ${expected.digest}`);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await handle.write(bytes, at)).bytesWritten;
}
