import { type Descriptor, isIndexType, isManifestType, JSON_LIMIT, ManifestSchema } from '../../spec/manifest.ts';
import type { Blob, Content } from '../../store/content.ts';
import { parseIndex } from './held-index.ts';
import { parseJson } from './parse-json.ts';

/** What a manifest or an index stands for, as far as it is here. */
export interface ContentTree {
  /** What is named comes before what names it; the last is the top itself. */
  readonly blobs: readonly Blob[];
  /** What is named and not here. Layers that others do not hand on are not missed. */
  readonly missing: readonly Descriptor[];
}

/** Everything from a stored manifest or index on. @throws `invalid`, `not-found`. */
export async function treeOf(content: Content, top: Blob): Promise<ContentTree> {
  const blobs = new Map<string, Blob>();
  const missing: Descriptor[] = [];
  const visit = async (blob: Blob): Promise<void> => {
    for (const named of await childrenOf(content, blob)) {
      const found = content.find(named.digest);
      // The same bytes may be known under another type.
      if (found !== undefined) await visit({ ...found, mediaType: named.mediaType });
      else if (!isForeign(named)) missing.push(named);
    }
    blobs.set(blob.digest, blob);
  };
  await visit(top);
  return { blobs: [...blobs.values()], missing };
}

/** What a stored blob names, if it is one that names others. */
async function childrenOf(content: Content, { digest, mediaType }: Blob): Promise<Descriptor[]> {
  const what = `manifest ${digest}`;
  if (isIndexType(mediaType)) return parseIndex(await content.readAll(digest, JSON_LIMIT), what);
  if (!isManifestType(mediaType)) return [];
  const { config, layers } = parseJson(await content.readAll(digest, JSON_LIMIT), ManifestSchema, what);
  return [config, ...layers];
}

/** Source: OCI image-spec `layer.md`, "Non-Distributable Layers"; Docker's `foreign`. */
const isForeign = ({ mediaType }: Descriptor): boolean => /nondistributable|foreign/.test(mediaType);
