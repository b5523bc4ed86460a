import type { Readable } from 'node:stream';
import type { Blob, Expected } from './content.ts';
import type { Layer, LayerSource } from './layers.ts';

/**
 * Something in the making: blobs and layers that no row needs yet. While the lease is open none of them is collected;
 * when it is disposed, what was not committed is gone. Several leases may make the same thing: it is made once.
 *
 *     await using lease = store.lease();
 *     const blob = await lease.ingest(stream);
 *     lease.prepare(blob.digest);                                  // optional: unpacking starts now
 *     const layers = await lease.unpack([{ blob: blob.digest, diffId }, …], signal);
 *     await lease.commit(() => { store.images.insert(…); store.images.setTag(…); });
 */
export interface Lease extends AsyncDisposable {
  /** Reads the stream into a blob. @throws `invalid` when size or digest are not as expected. */
  ingest(source: Readable | AsyncIterable<Uint8Array>, expected?: Expected): Promise<Blob>;
  /** The same for bytes in memory. */
  put(bytes: Uint8Array, mediaType: string): Promise<Blob>;
  /** Starts unpacking a blob whose place in a chain is not known yet. A failure shows in `unpack`. */
  prepare(blob: string): void;
  /** Unpacks a whole stack, lowest first, in parallel; layers that are there already cost nothing. */
  unpack(sources: readonly LayerSource[], signal?: AbortSignal): Promise<Layer[]>;
  /** Protects existing blobs (digests) and layers (chain ids) from collection while the lease is open. */
  hold(...ids: readonly string[]): void;
  /** Flushes everything made under this lease to disk, then writes its rows and those of `rows` in one transaction. */
  commit<T>(rows: () => T): Promise<T>;
}
