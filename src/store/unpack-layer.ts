import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { expand } from '../util/compression.ts';
import { TarReader } from '../util/tar/tar-reader.ts';
import { type LayerSink, rewriteLayer } from './layer-rewriter.ts';
import { TarProcess } from './tar-process.ts';

export interface Unpacked {
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
  /** Bytes of the regular files. */
  readonly size: number;
  /** Hides all layers below. */
  readonly opaque: boolean;
}

/**
 * Unpacks a layer's archive, compressed or not, into an empty directory, as a lower directory of an overlay mount.
 *
 * @param blob digest of `source`; for an uncompressed archive that is the diff id, which need not be computed again.
 * @throws `invalid` for a bad archive; `internal` when it cannot be written.
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  blob: string,
  signal?: AbortSignal,
): Promise<Unpacked> {
  const { codec, chunks } = await expand(source);
  const hash = codec === 'none' ? undefined : createHash('sha256');
  const reader = new TarReader(watched(chunks, (chunk) => hash?.update(chunk), signal));
  await using sink = new DirectorySink(directory);
  try {
    const rewritten = await rewriteLayer(reader, sink);
    await reader.drain();
    await sink.finish();
    return { ...rewritten, diffId: hash === undefined ? blob : `sha256:${hash.digest('hex')}` };
  } finally {
    await reader.close();
  }
}

async function* watched(
  chunks: AsyncIterable<Buffer>,
  see: (chunk: Buffer) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    see(chunk);
    yield chunk;
  }
}

/** Unpacks with one tar after another, because something can only be removed between two. */
class DirectorySink implements LayerSink, AsyncDisposable {
  readonly #directory: string;
  #tar: TarProcess;

  constructor(directory: string) {
    this.#directory = directory;
    this.#tar = new TarProcess(directory);
  }

  write(piece: Buffer): Promise<void> | undefined {
    return this.#tar.write(piece);
  }

  async remove(path: string): Promise<void> {
    await this.finish();
    // Every part of the path is a directory of this layer, so nothing outside can be meant.
    await rm(Buffer.concat([Buffer.from(`${this.#directory}/`), Buffer.from(path, 'latin1')]), { recursive: true });
    this.#tar = new TarProcess(this.#directory);
  }

  async finish(): Promise<void> {
    await this.#tar.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tar.stop();
  }
}
