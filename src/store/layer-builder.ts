import { randomBytes } from 'node:crypto';
import { renameSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chainIdOf, hexOf } from '../util/digest.ts';
import { invalid } from '../util/errors.ts';
import { Slots } from '../util/slots.ts';
import type { Content } from './content.ts';
import type { Layer, LayerSource } from './layers.ts';
import type { Holder, LayerJob, Making, Prepared, Staged } from './making.ts';
import type { StoreDirs } from './store-dirs.ts';
import type { Trash } from './trash.ts';
import { unpackLayer } from './unpack-layer.ts';
import { diskError } from './write-blob.ts';

export interface LayerBuilderParts {
  readonly dirs: StoreDirs;
  readonly content: Content;
  readonly making: Making;
  readonly trash: Trash;
}

/** Unpacks layers, a few at a time, each independent of the one below it. */
export class LayerBuilder {
  readonly #parts: LayerBuilderParts;
  readonly #slots = new Slots(Math.max(2, availableParallelism()));

  constructor(parts: LayerBuilderParts) {
    this.#parts = parts;
  }

  /** Starts unpacking a blob before its place is known. */
  prepare(blob: string, holder: Holder): void {
    this.#parts.making.prepared.add(this.#start({ blob }, holder));
  }

  /** The layer in the making; asked for twice it is made once. */
  build(source: LayerSource, parent: string | undefined, holder: Holder): LayerJob {
    const { making, trash } = this.#parts;
    const chainId = chainIdOf(parent, source.diffId);
    const running = making.layers.get(chainId);
    if (running !== undefined) {
      running.holders.add(holder);
      return running;
    }
    const { staged, abort } = this.#takePrepared(source, holder);
    const layer = staged.then((done) => {
      if (making.layers.get(chainId) === job) return this.#place(done, source, parent);
      // Dropped while it was being made; another may be making it anew by now.
      trash.discard(done.directory);
      throw abort.signal.reason;
    });
    const job: LayerJob = { layer, abort, holders: new Set([holder]) };
    making.layers.set(chainId, job);
    // A failure is told to whoever waits; the next one who asks tries again.
    layer.catch(() => {
      if (making.layers.get(chainId) === job) making.layers.delete(chainId);
    });
    return job;
  }

  /** Stops and removes what was made for a holder and nobody else wants. */
  async release(holder: Holder): Promise<void> {
    const { making, trash } = this.#parts;
    const work: Promise<void>[] = [];
    for (const prepared of making.prepared) {
      if (prepared.holder !== holder) continue;
      making.prepared.delete(prepared);
      prepared.abort.abort();
      work.push(prepared.staged.then(({ directory }) => trash.discard(directory)).catch(() => {}));
    }
    for (const [chainId, job] of making.layers) {
      if (job.holders.delete(holder) && job.holders.size === 0) work.push(this.#drop(chainId, job));
    }
    await Promise.all(work);
  }

  #start({ blob, ready }: Pick<LayerSource, 'blob' | 'ready'>, holder: Holder): Prepared {
    const abort = new AbortController();
    const stage = () => this.#slots.run(() => this.#stage(blob, abort.signal));
    const staged = ready === undefined ? stage() : ready.then(stage);
    staged.catch(() => {});
    return { holder, blob, staged, abort };
  }

  /** Takes over what was prepared from this blob, or begins now. A prepared directory serves one layer. */
  #takePrepared(source: LayerSource, holder: Holder): Prepared {
    const { prepared } = this.#parts.making;
    const found = [...prepared].find((one) => one.blob === source.blob && one.holder === holder);
    if (found === undefined) return this.#start(source, holder);
    prepared.delete(found);
    return found;
  }

  async #stage(blob: string, signal: AbortSignal): Promise<Staged> {
    const { dirs, content, trash } = this.#parts;
    const root = join(dirs.layers, `${randomBytes(8).toString('hex')}.tmp`);
    const fs = join(root, 'fs');
    try {
      signal.throwIfAborted();
      await mkdir(root, { mode: 0o710 });
      await mkdir(fs, { mode: 0o755 });
      return { directory: root, ...(await unpackLayer(content.open(blob), fs, blob, signal)) };
    } catch (error) {
      trash.discard(root);
      throw diskError(error, root);
    }
  }

  /** Moves a staged directory to its name. Names without a row are swept after a kill, so nothing is flushed here. */
  #place(staged: Staged, source: LayerSource, parent: string | undefined): Layer {
    const { dirs, trash } = this.#parts;
    const { diffId, size, opaque, directory } = staged;
    if (diffId !== source.diffId) {
      trash.discard(directory);
      throw invalid(`invalid diffID for layer: expected "${source.diffId}", got "${diffId}"`);
    }
    const chainId = chainIdOf(parent, diffId);
    const target = join(dirs.layers, hexOf(chainId));
    trash.discard(target);
    renameSync(directory, target);
    const link = randomBytes(5).toString('hex');
    symlinkSync(join('../layers', hexOf(chainId), 'fs'), join(dirs.links, link));
    return { chainId, diffId, parent, link, size, opaque, blob: source.blob };
  }

  async #drop(chainId: string, job: LayerJob): Promise<void> {
    const { dirs, making, trash } = this.#parts;
    making.layers.delete(chainId);
    job.abort.abort();
    const layer = await job.layer.catch(() => undefined);
    if (layer === undefined) return;
    trash.discard(join(dirs.links, layer.link));
    if (!making.layers.has(chainId)) trash.discard(join(dirs.layers, hexOf(chainId)));
  }
}
