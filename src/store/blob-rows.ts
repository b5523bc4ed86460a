import type { Blob } from './content.ts';
import type { Db } from './db.ts';

/** The table of blobs. */
export interface BlobRows {
  all(): Blob[];
  find(digest: string): Blob | undefined;
  insert(blob: Blob): void;
  remove(digest: string): void;
}

export function openBlobRows(db: Db): BlobRows {
  const all = db.sql.prepare('SELECT digest, size, media_type FROM blobs');
  const find = db.sql.prepare('SELECT digest, size, media_type FROM blobs WHERE digest = ?');
  const insert = db.sql.prepare('INSERT OR IGNORE INTO blobs (digest, size, media_type) VALUES (?, ?, ?)');
  const remove = db.sql.prepare('DELETE FROM blobs WHERE digest = ?');
  const blob = (row: Record<string, unknown>): Blob => ({
    digest: String(row['digest']),
    size: Number(row['size']),
    mediaType: String(row['media_type']),
  });
  return {
    all: () => all.all().map(blob),
    find: (digest) => {
      const row = find.get(digest);
      return row === undefined ? undefined : blob(row);
    },
    insert: ({ digest, size, mediaType }) => void insert.run(digest, size, mediaType),
    remove: (digest) => void remove.run(digest),
  };
}
