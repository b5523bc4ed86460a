import type { Blob } from './content.ts';
import type { Layer } from './layers.ts';

/** Who wants a thing: leases, compared by identity. */
export type Holder = object;

/** A layer being unpacked, or unpacked and without a row yet. */
export interface LayerJob {
  readonly layer: Promise<Layer>;
  readonly holders: Set<Holder>;
  /** Ends the work when nobody wants it any more. */
  readonly abort: AbortController;
}

/** A blob unpacked ahead, before its place in a chain is known. */
export interface Prepared {
  readonly holder: Holder;
  readonly blob: string;
  readonly staged: Promise<Staged>;
  readonly abort: AbortController;
}

/** An unpacked archive in a directory of its own, not in its place. */
export interface Staged {
  readonly directory: string;
  readonly diffId: string;
  readonly size: number;
  readonly opaque: boolean;
}

/** What exists on disk and has no row yet, and what each open lease protects. Lives in memory: after a kill it is garbage. */
export interface Making {
  readonly blobs: Map<string, { readonly blob: Blob; readonly holders: Set<Holder> }>;
  readonly layers: Map<string, LayerJob>;
  readonly prepared: Set<Prepared>;
  /** Digests and chain ids that each lease keeps from being collected. */
  readonly held: Map<Holder, Set<string>>;
}

export function emptyMaking(): Making {
  return { blobs: new Map(), layers: new Map(), prepared: new Set(), held: new Map() };
}
