import type { Db } from './db.ts';

/** Where blobs are known to be besides here, so that a registry can take one from itself instead of being sent it. */
export interface BlobOrigins {
  /** @param name of the repository, full: `localhost:5000/app`. A blob that is not stored is passed over. */
  add(digest: string, name: string): void;
  /** Full names of repositories, latest first. */
  of(digest: string): string[];
}

export function openBlobOrigins({ sql }: Db): BlobOrigins {
  const add = sql.prepare(
    'INSERT OR REPLACE INTO blob_origins (blob, name) SELECT digest, ? FROM blobs WHERE digest = ?',
  );
  const of = sql.prepare('SELECT name FROM blob_origins WHERE blob = ? ORDER BY rowid DESC');
  return {
    add: (digest, name) => void add.run(name, digest),
    of: (digest) => of.all(digest).map((row) => String(row['name'])),
  };
}
