import { posix } from 'node:path';
import { invalid } from '../../util/errors.ts';
import { nameText, type TarEntry } from '../../util/tar/entry.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';

/** A member of an image archive. `body` is read before the next member is asked for, or skipped. */
export interface ArchiveMember {
  /** Relative, normalised, never leaving the archive. */
  readonly path: string;
  readonly type: 'file' | 'link' | 'other';
  /** Of a link: the member it stands for, as `path`. */
  readonly target: string;
  /** Bytes of the body; 0 unless a file. */
  readonly size: number;
  readonly body: AsyncIterable<Buffer>;
}

/**
 * `path`, seen from the directory `from` of the archive, as a member's name.
 *
 * @throws `invalid` for a name that leads out of the archive.
 */
export function confined(path: string, from = ''): string {
  const clean = posix.normalize(posix.join(from, path)).replace(/\/$/, '');
  if (path.startsWith('/') || clean === '..' || clean.startsWith('../') || path.includes('\0')) {
    throw invalid(`invalid archive: ${JSON.stringify(path)} leads out of it`);
  }
  return clean;
}

function describe(entry: TarEntry): Omit<ArchiveMember, 'body'> {
  const path = confined(nameText(entry.name));
  const link = nameText(entry.linkName);
  if (entry.type === 'link') return { path, type: 'link', target: confined(link), size: 0 };
  if (entry.type === 'symlink') return { path, type: 'link', target: confined(link, posix.dirname(path)), size: 0 };
  // Nobody writes an image archive with holes; what would be read is not what was meant.
  if (entry.sparse !== undefined) throw invalid(`invalid archive: ${JSON.stringify(path)} is a sparse file`);
  return { path, type: entry.type === 'file' ? 'file' : 'other', target: '', size: entry.size };
}

/**
 * Reads an image archive as it streams by, to the sender's last byte.
 *
 * @throws `invalid` when it is no tar archive, is cut off, or a name leads out of it.
 */
export async function* archiveMembers(source: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveMember> {
  const reader = new TarReader(source);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      yield { ...describe(entry), body: reader.body() };
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
}
