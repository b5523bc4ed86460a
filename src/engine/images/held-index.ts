import { type Descriptor, JSON_LIMIT } from '../../spec/manifest.ts';
import type { Blob, Content } from '../../store/content.ts';
import { type IndexTree, readIndexTree } from './index-tree.ts';

/** An index that names lead to. */
export interface HeldIndex extends Blob {
  /** What it names, and what the indexes in it do as far as they are here, in their order. */
  readonly entries: readonly Descriptor[];
  /** Ids of the images that are here, by the digest of their manifest. */
  readonly images: ReadonlyMap<string, string>;
}

/** A stored index and those in it. @throws `invalid`, `not-found`. */
export const heldTree = (content: Content, top: Blob): Promise<IndexTree> =>
  readIndexTree(
    {
      has: (digest) => content.has(digest),
      read: ({ digest }) => content.readAll(digest, JSON_LIMIT),
      nameOf: (digest) => `manifest ${digest}`,
    },
    top,
  );
