import type { Db } from './db.ts';

/** A volume as stored. */
export interface VolumeRow {
  readonly name: string;
  readonly created: string;
  /** JSON of a map or null. */
  readonly labels: string;
  readonly anonymous: boolean;
  /** What the driver was told; JSON of a map or null. */
  readonly options: string;
  /** `local`, or the name of a plugin. */
  readonly driver: string;
}

/** The table of volumes. Every call is one durable transaction. */
export interface VolumeRows {
  all(): VolumeRow[];
  insert(row: VolumeRow): void;
  remove(name: string): void;
}

/** Prepares the statements of the table `volumes`. */
export function openVolumeRows(db: Db): VolumeRows {
  const all = db.sql.prepare('SELECT name, created, labels, anonymous, options, driver FROM volumes ORDER BY name');
  const insert = db.sql.prepare(
    'INSERT INTO volumes (name, created, labels, anonymous, options, driver) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remove = db.sql.prepare('DELETE FROM volumes WHERE name = ?');
  return {
    all: () =>
      all.all().map((row) => ({
        name: String(row['name']),
        created: String(row['created']),
        labels: String(row['labels']),
        anonymous: row['anonymous'] === 1,
        options: String(row['options']),
        driver: String(row['driver']),
      })),
    insert: ({ name, created, labels, anonymous, options, driver }) =>
      void db.transaction(() => insert.run(name, created, labels, anonymous ? 1 : 0, options, driver)),
    remove: (name) => void db.transaction(() => remove.run(name)),
  };
}
