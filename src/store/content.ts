import type { Readable } from 'node:stream';

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
  /** @throws `not-found` */
  path(digest: string): string;
  /** A stream of the bytes. @throws `not-found` */
  open(digest: string): Readable;
  /** @throws `not-found`; `invalid` when the blob has more than `limit` bytes. */
  readAll(digest: string, limit: number): Promise<Buffer>;
}
