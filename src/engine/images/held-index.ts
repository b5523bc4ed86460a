import { type Descriptor, IndexSchema, isIndexType, JSON_LIMIT } from '../../spec/manifest.ts';
import type { Blob, Content } from '../../store/content.ts';
import { invalid } from '../../util/errors.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';

/** Deeper nested indexes are refused, and longer ones. */
const NESTING_LIMIT = 4;
const ENTRY_LIMIT = 1000;

/** An index that names lead to. */
export interface HeldIndex extends Blob {
  /** What it names, and what the indexes in it do as far as they are here, in their order. */
  readonly entries: readonly Descriptor[];
  /** Ids of the images that are here, by the digest of their manifest. */
  readonly images: ReadonlyMap<string, string>;
}

/** What an index names. @param what it is called in an error. @throws `invalid`. */
export function parseIndex(bytes: Buffer, what: string): Descriptor[] {
  refuseAmbiguous(bytes, what);
  const { manifests } = parseJson(bytes, IndexSchema, what);
  if (manifests.length > ENTRY_LIMIT) throw invalid(`invalid ${what}: too many manifests`);
  return manifests;
}

/** The entries of a stored index, those of nested ones in the place of these. @throws `invalid`, `not-found`. */
export async function entriesOf(content: Content, digest: string, depth = 1): Promise<Descriptor[]> {
  if (depth > NESTING_LIMIT) throw invalid(`manifest ${digest}: indexes are nested too deeply`);
  const named = parseIndex(await content.readAll(digest, JSON_LIMIT), `manifest ${digest}`);
  const entries: Descriptor[] = [];
  for (const entry of named) {
    const nested = isIndexType(entry.mediaType) && content.has(entry.digest);
    entries.push(...(nested ? await entriesOf(content, entry.digest, depth + 1) : [entry]));
  }
  return entries;
}
