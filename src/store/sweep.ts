import { existsSync, readdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../util/digest.ts';
import { hasCode } from '../util/errors.ts';
import type { Log } from '../util/log.ts';
import type { BlobRows } from './blob-rows.ts';
import { PARTIAL } from './fetches.ts';
import type { LayerRows } from './layer-rows.ts';
import type { StoreDirs } from './store-dirs.ts';
import type { Trash } from './trash.ts';

const KEEP_PARTIALS_MS = 7 * 24 * 3600 * 1000;

/**
 * Brings the disk in line with the rows, before anything is being made: what has no row goes, links are put right.
 * A row without its file is damage from outside; it is logged and left. A lost blob comes back when it is loaded or pulled again.
 */
export function sweep(o: { dirs: StoreDirs; blobRows: BlobRows; layerRows: LayerRows; trash: Trash; log: Log }): void {
  const { dirs, trash, log } = o;
  for (const name of readdirSync(dirs.tmp)) trash.delete(join(dirs.tmp, name));
  const layers = o.layerRows.all();
  const swept = [
    keepOnly(dirs.ingest, new Set(freshPartials(dirs.ingest)), trash),
    keepOnly(dirs.content, new Set(o.blobRows.all().map(({ digest }) => hexOf(digest))), trash),
    keepOnly(dirs.layers, new Set(layers.map(({ chainId }) => hexOf(chainId))), trash),
    keepOnly(dirs.links, new Set(layers.map(({ link }) => link)), trash),
  ].flat();
  if (swept.length > 0) log.info('removed what an interrupted operation left', { paths: swept });
  for (const { chainId, link } of layers) {
    const target = join('../layers', hexOf(chainId), 'fs');
    if (!existsSync(join(dirs.links, target))) log.error('the files of a layer are gone', { layer: chainId });
    putLink(join(dirs.links, link), target, trash);
  }
  for (const { digest } of o.blobRows.all()) {
    if (!existsSync(join(dirs.content, hexOf(digest)))) log.error('the file of a blob is gone', { blob: digest });
  }
}

/** Blobs that came in part and may go on, as long as that is not long ago. */
function freshPartials(ingest: string): string[] {
  const partials = readdirSync(ingest).filter((name) => name.endsWith(PARTIAL));
  return partials.filter((name) => Date.now() - statSync(join(ingest, name)).mtimeMs < KEEP_PARTIALS_MS);
}

/** Removes the entries of a directory that are not wanted; gives their paths. */
function keepOnly(dir: string, wanted: ReadonlySet<string>, trash: Trash): string[] {
  const unwanted = readdirSync(dir).filter((name) => !wanted.has(name));
  for (const name of unwanted) trash.discard(join(dir, name));
  return unwanted.map((name) => join(dir, name));
}

function putLink(path: string, target: string, trash: Trash): void {
  try {
    if (readlinkSync(path) === target) return;
    trash.discard(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EINVAL')) throw error;
    trash.discard(path);
  }
  symlinkSync(target, path);
}
