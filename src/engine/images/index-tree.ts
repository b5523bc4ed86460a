import { type Descriptor, IndexSchema, isIndexType } from '../../spec/manifest.ts';
import { invalid } from '../../util/errors.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';

/** Deeper nested indexes are refused. */
export const NESTING_LIMIT = 4;
/** So many entries are read of an index and all in it together; longer ones are refused. */
const ENTRY_LIMIT = 1000;

type Named = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** Where indexes are read from. */
export interface IndexSource {
  has(digest: string): boolean;
  /** @throws `invalid`, `not-found`. */
  read(index: Named): Promise<Buffer>;
  /** What it is called in an error. */
  nameOf(digest: string): string;
}

/** An index and the indexes in it. */
export interface IndexTree {
  /** Each once, after those in it; the last is the top. */
  readonly indexes: readonly Named[];
  /** What they name besides those: entries of a nested one stand in its place, where it is named first. */
  readonly entries: readonly Descriptor[];
}

/** What an index names. @param what it is called in an error. @throws `invalid`. */
export function parseIndex(bytes: Buffer, what: string): Descriptor[] {
  refuseAmbiguous(bytes, what);
  const { manifests } = parseJson(bytes, IndexSchema, what);
  if (manifests.length > ENTRY_LIMIT) throw invalid(`invalid ${what}: too many manifests`);
  return manifests;
}

/**
 * Reads an index and those in it, as far as the source has them. Each is read once, however often it is named: a few that name each other a
 * thousand times would else stand for more than fits in memory.
 *
 * @throws `invalid`, `not-found` for the top.
 */
export async function readIndexTree(source: IndexSource, top: Named): Promise<IndexTree> {
  const indexes: Named[] = [];
  const entries: Descriptor[] = [];
  const seen = new Set<string>();
  let left = ENTRY_LIMIT;
  const visit = async (index: Named, depth: number): Promise<void> => {
    if (depth > NESTING_LIMIT) throw invalid(`invalid ${source.nameOf(top.digest)}: indexes are nested too deeply`);
    seen.add(index.digest);
    const named = parseIndex(await source.read(index), source.nameOf(index.digest));
    left -= named.length;
    if (left < 0) throw invalid(`invalid ${source.nameOf(top.digest)}: too many manifests`);
    for (const entry of named) {
      if (!isIndexType(entry.mediaType) || !source.has(entry.digest)) entries.push(entry);
      else if (!seen.has(entry.digest)) await visit(entry, depth + 1);
    }
    indexes.push(index);
  };
  await visit(top, 1);
  return { indexes, entries };
}
