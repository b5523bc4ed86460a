import type { Db } from './db.ts';

/** An image that stands in an index, by the manifest that the index names. */
export interface IndexRow {
  readonly index: string;
  readonly manifest: string;
  readonly image: string;
}

/** The table of indexes that names lead to. Writes are rows only, as in {@link ImageRows}. */
export interface IndexRows {
  all(): IndexRow[];
  /** The index, the manifest and what the index names besides stay as long as the row. The image goes with its own row. */
  add(row: IndexRow): void;
  remove(index: string): void;
  /** The image stands in the index no longer. */
  removeImage(index: string, image: string): void;
}

export function openIndexRows({ sql }: Db): IndexRows {
  const all = sql.prepare('SELECT idx, manifest, image FROM index_images ORDER BY rowid');
  const insert = sql.prepare('INSERT OR REPLACE INTO index_images (idx, manifest, image) VALUES (?, ?, ?)');
  const remove = sql.prepare('DELETE FROM index_images WHERE idx = ?');
  const removeImage = sql.prepare('DELETE FROM index_images WHERE idx = ? AND image = ?');
  return {
    all: () =>
      all.all().map((row) => ({
        index: String(row['idx']),
        manifest: String(row['manifest']),
        image: String(row['image']),
      })),
    add: ({ index, manifest, image }) => void insert.run(index, manifest, image),
    remove: (index) => void remove.run(index),
    removeImage: (index, image) => void removeImage.run(index, image),
  };
}
