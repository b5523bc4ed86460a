import { createReadStream, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hexOf } from '../util/digest.ts';
import { invalid, notFound } from '../util/errors.ts';

/** A stored blob. */
export interface Blob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/** What is known of a blob before it has been read. */
export interface Expected {
  digest?: string | undefined;
  size?: number | undefined;
  /** Recorded with the blob; empty when unknown. */
  mediaType?: string | undefined;
  /** More bytes than this are refused. */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Blobs by the digest of their bytes. What is listed here is on disk, whole, and was verified when it came.
 * Blobs come in through a {@link Lease}, which makes them durable together with whatever needs them.
 */
export interface Content {
  /** Undefined when there is no such blob. A blob in the making is found as soon as it is complete. */
  find(digest: string): Blob | undefined;
  has(digest: string): boolean;
  /** Whether it is listed and its file has all its bytes: false also when somebody took the file away or cut it. */
  intact(digest: string): boolean;
  /** @throws `not-found` */
  path(digest: string): string;
  /** A stream of the bytes. @throws `not-found` */
  open(digest: string): Readable;
  /** @throws `not-found`; `invalid` when the blob has more than `limit` bytes. */
  readAll(digest: string, limit: number): Promise<Buffer>;
}

const READ_SIZE = 1 << 18;

/** @param find looks among stored blobs and those in the making; `dir` holds the files. */
export function openContent(find: (digest: string) => Blob | undefined, dir: string): Content {
  const get = (digest: string): Blob => {
    const blob = find(digest);
    if (blob === undefined) throw notFound(`blob ${digest} does not exist`);
    return blob;
  };
  const path = (digest: string): string => join(dir, hexOf(get(digest).digest));
  return {
    find,
    has: (digest) => find(digest) !== undefined,
    intact: (digest) => {
      const blob = find(digest);
      return blob !== undefined && statSync(path(digest), { throwIfNoEntry: false })?.size === blob.size;
    },
    path,
    open: (digest) => createReadStream(path(digest), { highWaterMark: READ_SIZE }),
    readAll: async (digest, limit) => {
      const { size } = get(digest);
      if (size > limit) throw invalid(`blob ${digest} has ${size} bytes, more than the ${limit} allowed here`);
      return readFile(path(digest));
    },
  };
}
