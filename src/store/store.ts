import type { Content } from './content.ts';
import type { ContainerRows } from './containers.ts';
import type { Db } from './db.ts';
import type { ImageRows } from './image-rows.ts';
import type { Layers } from './layers.ts';
import type { Lease } from './lease.ts';

/** Absolute paths under the data root. */
export interface StoreDirs {
  readonly root: string;
  readonly content: string;
  readonly ingest: string;
  readonly layers: string;
  readonly links: string;
  readonly containers: string;
  readonly volumes: string;
  /** Emptied at every start. */
  readonly tmp: string;
}

/** What a collection took away. */
export interface Collected {
  /** Chain ids. */
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  /** Bytes of layers and blobs together. */
  readonly bytes: number;
}

/** Everything the engine keeps on disk. One process at a time. */
export interface Store extends AsyncDisposable {
  readonly db: Db;
  readonly dirs: StoreDirs;
  readonly content: Content;
  readonly layers: Layers;
  readonly images: ImageRows;
  readonly containers: ContainerRows;
  lease(): Lease;
  /** Removes the layers and blobs that no image, no lease and nothing in `keep` (digests, chain ids) needs. */
  collect(keep?: Iterable<string>): Promise<Collected>;
}
