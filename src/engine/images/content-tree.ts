import { type Descriptor, isIndexType, isManifestType, JSON_LIMIT, ManifestSchema } from '../../spec/manifest.ts';
import type { Blob, Content } from '../../store/content.ts';
import { heldTree } from './held-index.ts';
import { parseJson } from './parse-json.ts';

/** What a manifest or an index stands for, as far as it is here. */
export interface ContentTree {
  /** What is named comes before what names it; the last is the top itself. */
  readonly blobs: readonly Blob[];
  /** Digests of what is named and not here. Layers that others do not hand on are not missed. */
  readonly missing: ReadonlySet<string>;
}

/** Everything from a stored manifest or index on. @throws `invalid`, `not-found`. */
export async function treeOf(content: Content, top: Blob): Promise<ContentTree> {
  const { indexes, entries } = isIndexType(top.mediaType)
    ? await heldTree(content, top)
    : { indexes: [], entries: [top] };
  const blobs = new Map<string, Blob>();
  const missing = new Set<string>();
  const add = ({ digest, mediaType }: Blob): void => {
    const found = content.find(digest);
    // The same bytes may be known under another type.
    if (found !== undefined) blobs.set(digest, { ...found, mediaType });
    else if (!isForeign(mediaType)) missing.add(digest);
  };
  for (const entry of entries) {
    if (blobs.has(entry.digest)) continue;
    for (const named of await childrenOf(content, entry)) add(named);
    add(entry);
  }
  for (const index of indexes) add(index);
  return { blobs: [...blobs.values()], missing };
}

/** What a manifest names, if it is one that is here. */
async function childrenOf(content: Content, { digest, mediaType }: Blob): Promise<Descriptor[]> {
  if (!isManifestType(mediaType) || !content.has(digest)) return [];
  const bytes = await content.readAll(digest, JSON_LIMIT);
  const { config, layers } = parseJson(bytes, ManifestSchema, `manifest ${digest}`);
  return [config, ...layers];
}

/** Layers that others do not hand on. Source: OCI image-spec `layer.md`, "Non-Distributable Layers"; Docker's `foreign`. */
export const isForeign = (mediaType: string): boolean => /nondistributable|foreign/.test(mediaType);
