import { renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { chainIdOf, hexOf } from '../util/digest.ts';
import { fsyncDir } from '../util/files.ts';
import type { BlobRows } from './blob-rows.ts';
import type { Blob, Content, Expected } from './content.ts';
import type { Db } from './db.ts';
import type { Fetches, Listener, Wanted } from './fetches.ts';
import { flushFileSystem } from './flush-file-system.ts';
import type { LayerBuilder } from './layer-builder.ts';
import type { LayerRows } from './layer-rows.ts';
import type { Layer, LayerSource } from './layers.ts';
import type { Making } from './making.ts';
import type { StoreDirs } from './store-dirs.ts';
import type { Trash } from './trash.ts';
import { writeBlob } from './write-blob.ts';

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
  /**
   * Fetches a blob from elsewhere, once however many leases want it; what had come of it earlier is not fetched again.
   *
   * @throws `invalid` when it is not what was wanted; what `wanted.open` throws; the signal's reason.
   */
  fetch(wanted: Wanted, signal: AbortSignal, listener: Listener): Promise<Blob>;
  /** Like `ingest`, for bytes in memory. */
  put(bytes: Uint8Array, mediaType: string): Promise<Blob>;
  /** Starts unpacking a blob whose place in a chain is not known yet. A failure shows in `unpack`. */
  prepare(blob: string): void;
  /** Begins to unpack a whole stack, lowest first, in parallel: a promise for each layer. */
  begin(sources: readonly LayerSource[]): Promise<Layer>[];
  /** Unpacks a whole stack, lowest first, in parallel; layers that are there already cost nothing. */
  unpack(sources: readonly LayerSource[], signal?: AbortSignal): Promise<Layer[]>;
  /** Protects existing blobs (digests) and layers (chain ids) from collection while the lease is open. */
  hold(...ids: readonly string[]): void;
  /** Flushes everything made under this lease to disk, then writes its rows and those of `rows` in one transaction. */
  commit<T>(rows: () => T): Promise<T>;
}

export interface LeaseParts {
  readonly db: Db;
  readonly dirs: StoreDirs;
  readonly blobRows: BlobRows;
  readonly layerRows: LayerRows;
  readonly content: Content;
  readonly making: Making;
  readonly builder: LayerBuilder;
  readonly fetches: Fetches;
  readonly trash: Trash;
}

export function openLease(parts: LeaseParts): Lease {
  return new OpenLease(parts);
}

class OpenLease implements Lease {
  readonly #parts: LeaseParts;
  readonly #held = new Set<string>();
  /** Flushes begun while other work goes on, so that the last one has little left to do. */
  readonly #flushing: Promise<void>[] = [];
  readonly #closed = new AbortController();
  /** Work that must be over before the lease is, as it makes what the lease holds. */
  readonly #work = new Set<Promise<Blob>>();

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    parts.making.held.set(this, this.#held);
  }

  hold(...ids: readonly string[]): void {
    for (const id of ids) {
      this.#held.add(id);
      this.#parts.making.blobs.get(id)?.holders.add(this);
      this.#parts.making.layers.get(id)?.holders.add(this);
    }
  }

  async ingest(source: Readable | AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<Blob> {
    const { dirs, making, content, trash } = this.#parts;
    const { blob, path } = await writeBlob(source, dirs.ingest, expected);
    // One tick from here on: a collection cannot come between finding the blob and holding it.
    const stored = content.find(blob.digest);
    const target = join(dirs.content, hexOf(blob.digest));
    this.hold(blob.digest);
    // A blob whose file was lost gets it back.
    if (stored !== undefined && content.intact(blob.digest)) {
      trash.delete(path);
      return stored;
    }
    renameSync(path, target);
    this.#startFlush(target);
    making.blobs.set(blob.digest, { blob, holders: new Set([this]) });
    return blob;
  }

  async fetch(wanted: Wanted, signal: AbortSignal, listener: Listener): Promise<Blob> {
    const { dirs, fetches, making } = this.#parts;
    this.#closed.signal.throwIfAborted();
    this.hold(wanted.digest);
    const blob = await this.#own(fetches.fetch(wanted, AbortSignal.any([signal, this.#closed.signal]), listener));
    if (making.blobs.has(blob.digest)) this.#startFlush(join(dirs.content, hexOf(blob.digest)));
    return blob;
  }

  put(bytes: Uint8Array, mediaType: string): Promise<Blob> {
    async function* once(): AsyncGenerator<Uint8Array> {
      yield bytes;
    }
    return this.#own(this.ingest(once(), { mediaType }));
  }

  async #own(work: Promise<Blob>): Promise<Blob> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  prepare(blob: string): void {
    const { builder, layerRows } = this.#parts;
    // Likely a layer of an image that is here already; for a plain archive the digest is the diff id.
    if (layerRows.findByBlob(blob) !== undefined || layerRows.findByDiffId(blob) !== undefined) return;
    builder.prepare(blob, this);
  }

  begin(sources: readonly LayerSource[]): Promise<Layer>[] {
    const { layerRows } = this.#parts;
    const layers: Promise<Layer>[] = [];
    let parent: string | undefined;
    for (const source of sources) {
      const chainId = chainIdOf(parent, source.diffId);
      this.hold(chainId, source.blob);
      const stored = layerRows.find(chainId);
      layers.push(stored === undefined ? this.#build(source, parent) : Promise.resolve(stored));
      parent = chainId;
    }
    return layers;
  }

  /** A layer that another lease is making already is made by this one when the other does not get it done. */
  async #build(source: LayerSource, parent: string | undefined): Promise<Layer> {
    const { builder, making } = this.#parts;
    const joined = making.layers.has(chainIdOf(parent, source.diffId));
    try {
      return await builder.build(source, parent, this).layer;
    } catch (error) {
      if (!joined || this.#closed.signal.aborted) throw error;
      return await this.#build(source, parent);
    }
  }

  async unpack(sources: readonly LayerSource[], signal?: AbortSignal): Promise<Layer[]> {
    signal?.throwIfAborted();
    return abortable(Promise.all(this.begin(sources)), signal);
  }

  async commit<T>(rows: () => T): Promise<T> {
    const { db, blobRows, layerRows, making } = this.#parts;
    const jobs = [...making.layers].filter(([, job]) => job.holders.has(this));
    const layers = parentsFirst(await Promise.all(jobs.map(([, job]) => job.layer)));
    const blobs = [...making.blobs.values()].filter(({ holders }) => holders.has(this)).map(({ blob }) => blob);
    await this.#flush(blobs, layers.length > 0);
    const result = db.transaction(() => {
      for (const blob of blobs) blobRows.insert(blob);
      for (const layer of layers) layerRows.insert(layer);
      return rows();
    });
    for (const { digest } of blobs) making.blobs.delete(digest);
    for (const { chainId } of layers) making.layers.delete(chainId);
    return result;
  }

  #startFlush(path: string): void {
    const flushing = fsyncFile(path);
    flushing.catch(() => {});
    this.#flushing.push(flushing);
  }

  /** Everything made so far is on the disk when this resolves: one flush of the file system instead of one for each file. */
  async #flush(blobs: readonly Blob[], layers: boolean): Promise<void> {
    const { dirs } = this.#parts;
    await Promise.all(this.#flushing.splice(0));
    if (layers || blobs.length > 8) {
      await flushFileSystem(dirs.root);
      return;
    }
    await Promise.all(blobs.map(({ digest }) => fsyncFile(join(dirs.content, hexOf(digest)))));
    if (blobs.length > 0) await fsyncDir(dirs.content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { making, builder, dirs, trash } = this.#parts;
    this.#closed.abort();
    await Promise.allSettled(this.#work);
    await builder.release(this);
    making.held.delete(this);
    for (const [digest, { holders }] of making.blobs) {
      if (!holders.delete(this) || holders.size > 0) continue;
      making.blobs.delete(digest);
      trash.discard(join(dirs.content, hexOf(digest)));
    }
  }
}

async function fsyncFile(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** Rows refer to their parents, which must come before them. */
function parentsFirst(layers: readonly Layer[]): Layer[] {
  const left = new Map(layers.map((layer) => [layer.chainId, layer]));
  const sorted: Layer[] = [];
  const take = (layer: Layer | undefined): void => {
    if (layer === undefined || !left.delete(layer.chainId)) return;
    if (layer.parent !== undefined) take(left.get(layer.parent));
    sorted.push(layer);
  };
  for (const layer of layers) take(layer);
  return sorted;
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
