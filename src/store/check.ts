import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readlinkSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { hexOf } from '../util/digest.ts';
import { hasCode, invalid, messageOf } from '../util/errors.ts';
import { fsyncDir } from '../util/files.ts';
import type { BlobRows } from './blob-rows.ts';
import { compareLayer } from './compare-layer.ts';
import type { Blob } from './content.ts';
import { flushFileSystem } from './flush-file-system.ts';
import type { LayerRows } from './layer-rows.ts';
import type { Layer } from './layers.ts';
import type { Making } from './making.ts';
import type { StoreDirs } from './store-dirs.ts';
import type { Trash } from './trash.ts';
import { unpackLayer } from './unpack-layer.ts';
import { diskError, writeBlob } from './write-blob.ts';

/** Damage of the store that came from outside. */
export interface Damage {
  readonly what: 'blob' | 'layer' | 'link' | 'file';
  /** A digest, a chain id, or the path of a file that belongs to nothing. */
  readonly id: string;
  /** What is wrong, a phrase. */
  readonly how: string;
}

/** Looks at everything on the disk, and puts right what it can be told how to. */
export interface StoreCheck {
  /** How much there is to look at. */
  counts(): { blobs: number; layers: number };
  /** Every blob against its digest, every layer against its archive, files against rows. Reads all that is stored. */
  run(signal: AbortSignal): AsyncGenerator<Damage>;
  /** Puts good bytes in the place of a blob's; one that is gone meanwhile stays so. @throws `invalid` when they are not what the digest says. */
  replaceBlob(
    digest: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Unpacks a layer anew, and takes the old files away; a layer that is gone meanwhile stays so.
   *
   * @param refuseUsed throws while somebody stands on the files; it is asked in the very tick in which they are exchanged.
   * @throws `invalid` for a bad archive, or without such a layer.
   */
  rebuildLayer(chainId: string, refuseUsed: () => void, signal: AbortSignal): Promise<void>;
  /** Makes the short name of a layer anew. */
  relink(chainId: string): void;
  /** Takes a file away that belongs to nothing. */
  discard(path: string): void;
}

export interface CheckParts {
  readonly dirs: StoreDirs;
  readonly blobRows: BlobRows;
  readonly layerRows: LayerRows;
  readonly making: Making;
  readonly trash: Trash;
}

export function openStoreCheck(parts: CheckParts): StoreCheck {
  const { dirs, blobRows, layerRows, trash } = parts;
  const layerOf = (chainId: string): Layer => {
    const layer = layerRows.find(chainId);
    if (layer === undefined) throw invalid(`layer ${chainId} has no row`);
    return layer;
  };
  return {
    counts: () => ({ blobs: blobRows.all().length, layers: layerRows.all().length }),
    run: (signal) => findDamage(parts, signal),
    replaceBlob: async (digest, source, signal) => {
      const { path } = await writeBlob(Readable.from(source), dirs.ingest, {
        digest,
        size: blobRows.find(digest)?.size,
        signal,
      });
      try {
        await flush(path);
        if (blobRows.find(digest) === undefined) return;
        renameSync(path, join(dirs.content, hexOf(digest)));
      } finally {
        trash.discard(path);
      }
      await fsyncDir(dirs.content);
    },
    rebuildLayer: async (chainId, refuseUsed, signal) => {
      const fresh = await stage(parts, layerOf(chainId), signal);
      try {
        await flushFileSystem(dirs.root);
        if (layerRows.find(chainId) === undefined) return;
        refuseUsed();
        const target = join(dirs.layers, hexOf(chainId));
        trash.discard(target);
        renameSync(fresh, target);
      } finally {
        trash.discard(fresh);
      }
    },
    relink: (chainId) => {
      const { link } = layerOf(chainId);
      trash.discard(join(dirs.links, link));
      symlinkSync(join('../layers', hexOf(chainId), 'fs'), join(dirs.links, link));
    },
    discard: (path) => {
      // What was a stray when the check began may have become a blob or a layer since.
      if (strayFiles(parts).some(({ id }) => id === path)) trash.discard(path);
    },
  };
}

async function* findDamage(parts: CheckParts, signal: AbortSignal): AsyncGenerator<Damage> {
  const { blobRows, layerRows, dirs } = parts;
  yield* strayFiles(parts);
  const bad = new Set<string>();
  for (const blob of blobRows.all()) {
    signal.throwIfAborted();
    const how = await wrongBlob(join(dirs.content, hexOf(blob.digest)), blob, signal);
    // It may have been removed meanwhile.
    if (how === undefined || blobRows.find(blob.digest) === undefined) continue;
    bad.add(blob.digest);
    yield { what: 'blob', id: blob.digest, how };
  }
  for (const layer of layerRows.all()) {
    signal.throwIfAborted();
    const how = await wrongLayer(parts, layer, bad.has(layer.blob), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (layerRows.find(layer.chainId) !== undefined) throw error;
      return undefined;
    });
    // It may have been removed in the middle.
    if (layerRows.find(layer.chainId) === undefined) continue;
    if (how !== undefined) yield { what: 'layer', id: layer.chainId, how };
    if (!isLinked(parts, layer)) yield { what: 'link', id: layer.chainId, how: 'its short name leads elsewhere' };
  }
}

/** In one tick, so that what is just being made is not taken for a stray. */
function strayFiles({ dirs, blobRows, layerRows, making }: CheckParts): Damage[] {
  const blobs = new Set(
    [...blobRows.all(), ...[...making.blobs.values()].map(({ blob }) => blob)].map((b) => hexOf(b.digest)),
  );
  const layers = new Set([...layerRows.all().map(({ chainId }) => chainId), ...making.layers.keys()].map(hexOf));
  const strays = [
    ...readdirSync(dirs.content)
      .filter((name) => !blobs.has(name))
      .map((name) => join(dirs.content, name)),
    ...readdirSync(dirs.layers)
      .filter((name) => !layers.has(name) && !name.endsWith('.tmp'))
      .map((name) => join(dirs.layers, name)),
  ];
  return strays.map((id) => ({ what: 'file', id, how: 'it belongs to nothing' }));
}

async function wrongBlob(path: string, { digest, size }: Blob, signal: AbortSignal): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const found = statSync(path).size;
    if (found !== size) return `it has ${found} bytes, not ${size}`;
    for await (const piece of createReadStream(path, { signal, highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  } catch (error) {
    signal.throwIfAborted();
    return hasCode(error, 'ENOENT') ? 'it is missing' : `it cannot be read: ${messageOf(error)}`;
  }
  const found = `sha256:${hash.digest('hex')}`;
  return found === digest ? undefined : `its bytes have the digest ${found}`;
}

async function wrongLayer(
  parts: CheckParts,
  layer: Layer,
  unreadable: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { dirs, trash } = parts;
  const fs = join(dirs.layers, hexOf(layer.chainId), 'fs');
  if (!existsSync(fs)) return 'its files are missing';
  // Without its archive there is nothing to compare it with.
  if (unreadable) return undefined;
  const compare = (directory: string) => compareLayer(archiveOf(parts, layer), directory, signal);
  const found = await compare(fs);
  if (found.length === 0) return undefined;
  const fresh = await stage(parts, layer, signal);
  const usual = await compare(join(fresh, 'fs')).finally(() => trash.discard(fresh));
  const wrong = found.filter((line) => !usual.includes(line));
  return wrong.length === 0 ? undefined : `${wrong[0]}${wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ''}`;
}

const archiveOf = ({ dirs }: CheckParts, { blob }: Layer): AsyncIterable<Uint8Array> =>
  createReadStream(join(dirs.content, hexOf(blob)), { highWaterMark: 1 << 18 });

/** Unpacks a layer aside; gives the directory that is to take its place. */
async function stage(parts: CheckParts, layer: Layer, signal: AbortSignal): Promise<string> {
  const { dirs, trash } = parts;
  const root = join(dirs.layers, `${randomBytes(8).toString('hex')}.tmp`);
  try {
    await mkdir(root, { mode: 0o710 });
    await mkdir(join(root, 'fs'), { mode: 0o755 });
    const { diffId } = await unpackLayer(archiveOf(parts, layer), join(root, 'fs'), layer.blob, signal);
    if (diffId !== layer.diffId) throw invalid(`invalid diffID for layer: expected "${layer.diffId}", got "${diffId}"`);
    return root;
  } catch (error) {
    trash.discard(root);
    throw diskError(error, root);
  }
}

function isLinked({ dirs }: CheckParts, { chainId, link }: Layer): boolean {
  try {
    return readlinkSync(join(dirs.links, link)) === join('../layers', hexOf(chainId), 'fs');
  } catch {
    return false;
  }
}

async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
