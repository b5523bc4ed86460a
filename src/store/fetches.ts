import { createHash, type Hash } from 'node:crypto';
import { createReadStream, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '../util/digest.ts';
import { invalid, kindOf } from '../util/errors.ts';
import type { Blob, Content } from './content.ts';
import type { Holder, Making } from './making.ts';
import type { StoreDirs } from './store-dirs.ts';
import { copyBytes, diskError, isDiskFull } from './write-blob.ts';

/** A blob that comes from elsewhere. */
export interface Wanted {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** How many places may have it. */
  readonly places: number;
  /** Its bytes from an offset on, by the place of that number or one after it. */
  readonly open: (offset: number, place: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** Told how many bytes are there. */
export type Listener = (bytes: number) => void;

interface Fetch {
  readonly blob: Promise<Blob>;
  readonly abort: AbortController;
  readonly listeners: Set<Listener>;
  waiting: number;
}

/** One try to bring a blob. */
interface Attempt {
  readonly path: string;
  readonly wanted: Wanted;
  readonly place: number;
  readonly signal: AbortSignal;
  readonly heard: Listener;
}

/** The end of the names of blobs that have come in part. */
export const PARTIAL = '.partial';

/**
 * Blobs on their way here. One that several want at once is fetched once; it ends when nobody wants it any more. What had come of one that broke
 * off stays, also over a restart, and the next fetch goes on from there.
 */
export class Fetches {
  readonly #running = new Map<string, Fetch>();
  readonly #parts: { readonly dirs: StoreDirs; readonly content: Content; readonly making: Making };

  constructor(parts: { dirs: StoreDirs; content: Content; making: Making }) {
    this.#parts = parts;
  }

  /** @throws `invalid` when it is not what was wanted; what `open` throws; the signal's reason. */
  async fetch(wanted: Wanted, signal: AbortSignal, listener: Listener): Promise<Blob> {
    const { digest } = wanted;
    for (let last = this.#running.get(digest); last?.abort.signal.aborted === true; last = this.#running.get(digest)) {
      await last.blob.catch(() => {});
    }
    signal.throwIfAborted();
    const stored = this.#parts.content.find(digest);
    if (stored !== undefined && this.#parts.content.intact(digest)) return stored;
    const fetch = this.#running.get(digest) ?? this.#start(wanted);
    fetch.waiting++;
    fetch.listeners.add(listener);
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([fetch.blob, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      fetch.listeners.delete(listener);
      // Nobody waits any more: what still runs is stopped, and writes no more when this is over.
      if (--fetch.waiting === 0) {
        fetch.abort.abort(signal.reason);
        await fetch.blob.catch(() => {});
      }
    }
  }

  /** Removes the parts that nobody is fetching the rest of. @returns their bytes. */
  discardParts(): number {
    const { ingest } = this.#parts.dirs;
    const running = new Set([...this.#running.keys()].map((digest) => hexOf(digest) + PARTIAL));
    let bytes = 0;
    for (const name of readdirSync(ingest)) {
      if (!name.endsWith(PARTIAL) || running.has(name)) continue;
      const path = join(ingest, name);
      bytes += statSync(path).size;
      rmSync(path);
    }
    return bytes;
  }

  #start(wanted: Wanted): Fetch {
    const abort = new AbortController();
    const listeners = new Set<Listener>();
    const heard: Listener = (bytes) => {
      for (const listener of listeners) listener(bytes);
    };
    const blob = this.#run(wanted, abort.signal, heard).finally(() => this.#running.delete(wanted.digest));
    blob.catch(() => {});
    const fetch: Fetch = { blob, abort, listeners, waiting: 0 };
    this.#running.set(wanted.digest, fetch);
    return fetch;
  }

  async #run(wanted: Wanted, signal: AbortSignal, heard: Listener): Promise<Blob> {
    const { digest, size, mediaType } = wanted;
    const { dirs, making } = this.#parts;
    const path = join(dirs.ingest, `${hexOf(digest)}${PARTIAL}`);
    for (let place = 0; ; ) {
      const { had, wrong } = await this.#complete({ path, wanted, place, signal, heard });
      if (wrong === undefined) break;
      // A crash of the host may have damaged what was here before, so the same place is asked for the whole first.
      if (had === 0 && ++place >= wanted.places) throw wrong;
    }
    signal.throwIfAborted();
    renameSync(path, join(dirs.content, hexOf(digest)));
    const blob = { digest, size, mediaType };
    const holders = new Set<Holder>([...making.held].filter(([, held]) => held.has(digest)).map(([holder]) => holder));
    making.blobs.set(digest, { blob, holders });
    return blob;
  }

  /** Brings the file at `path` to its full length. `wrong`: why it did not turn out as it should; then it is gone. `had`: bytes of it that were here before. */
  async #complete({ path, wanted, place, signal, heard }: Attempt): Promise<{ had: number; wrong?: Error }> {
    const { digest, size } = wanted;
    await using handle = await open(path, 'a', 0o640);
    let had = 0;
    try {
      const begin = await begun(path, size, handle, signal);
      ({ had } = begin);
      heard(had);
      let there = had;
      const counted = counting(wanted.open(had, place, signal), (bytes) => heard((there += bytes)));
      await copyBytes(counted, handle, begin.hash, { limit: size - had, signal });
      if (there !== size) throw invalid(`a blob has ${there} bytes where ${size} were expected`);
      if (`sha256:${begin.hash.digest('hex')}` === digest) return { had };
      throw invalid(`filesystem layer verification failed for digest ${digest}`);
    } catch (error) {
      const wrong = error instanceof Error && kindOf(error) === 'invalid' && !signal.aborted ? error : undefined;
      // What is of no use, or in the way, does not stay: also when something else found the disk full and stopped this.
      if (wrong !== undefined || isDiskFull(error) || (await handle.stat()).size === 0) await rm(path, { force: true });
      if (wrong !== undefined) return { had, wrong };
      throw diskError(error, path);
    }
  }
}

/** The hash of what came earlier, and how many bytes that were. */
async function begun(
  path: string,
  size: number,
  handle: FileHandle,
  signal: AbortSignal,
): Promise<{ hash: Hash; had: number }> {
  const hash = createHash('sha256');
  let { size: had } = await handle.stat();
  if (had > size) {
    await handle.truncate(0);
    had = 0;
  }
  if (had > 0) for await (const piece of createReadStream(path, { signal })) hash.update(piece as Buffer);
  return { hash, had };
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    yield piece;
    count(piece.byteLength);
  }
}
