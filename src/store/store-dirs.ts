import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirSync } from '../util/files.ts';
import { makeInitLayer } from './init-layer.ts';

/** Absolute paths under the data root. */
export interface StoreDirs {
  readonly root: string;
  /** Blobs, each named by the hex part of its digest. */
  readonly content: string;
  /** Blobs that are being written. */
  readonly ingest: string;
  /** Unpacked layers: `<hex of the chain id>/fs`; in the making: `<random>.tmp/fs`. */
  readonly layers: string;
  /** Short names of layers, because a mount's options must fit in a page. */
  readonly links: string;
  /** What every container stands on. */
  readonly init: string;
  readonly containers: string;
  readonly volumes: string;
  /** Emptied at every start. */
  readonly tmp: string;
}

/** Makes the directories; only root may look into them. */
export function makeStoreDirs(root: string): StoreDirs {
  const dirs = {
    root,
    content: join(root, 'content/sha256'),
    ingest: join(root, 'content/ingest'),
    layers: join(root, 'layers'),
    links: join(root, 'l'),
    init: join(root, 'init'),
    containers: join(root, 'containers'),
    volumes: join(root, 'volumes'),
    tmp: join(root, 'tmp'),
  };
  const fresh = !existsSync(dirs.layers);
  for (const dir of Object.values(dirs)) ensureDirSync(dir, 0o710);
  if (fresh) spreadOut(dirs.layers);
  makeInitLayer(dirs.init);
  return dirs;
}

/**
 * Tells ext4 that the directories made in here have nothing to do with each other, so that it does not crowd their files
 * into one block group, where it would look for free places ever longer. Other file systems do not know it.
 */
function spreadOut(dir: string): void {
  spawnSync('chattr', ['+T', dir], { stdio: 'ignore' });
}
