import type { Db } from './db.ts';

/** A container as stored. `spec` and `state` are JSON documents whose shape belongs to the engine. */
export interface ContainerRow {
  readonly id: string;
  /** Without the leading slash; unique. */
  readonly name: string;
  readonly image: string;
  readonly created: string;
  readonly spec: string;
  readonly state: string;
}

/** The table of containers. Every call is one durable transaction. */
export interface ContainerRows {
  /** Oldest first. */
  all(): ContainerRow[];
  insert(row: ContainerRow): void;
  rename(id: string, name: string): void;
  saveSpec(id: string, spec: string): void;
  saveState(id: string, state: string): void;
  remove(id: string): void;
}

/** Prepares the statements of the table `containers`. */
export function openContainerRows(db: Db): ContainerRows {
  const all = db.sql.prepare('SELECT id, name, image, created, spec, state FROM containers ORDER BY created, rowid');
  const insert = db.sql.prepare(
    'INSERT INTO containers (id, name, image, created, spec, state) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const rename = db.sql.prepare('UPDATE containers SET name = ? WHERE id = ?');
  const saveSpec = db.sql.prepare('UPDATE containers SET spec = ? WHERE id = ?');
  const saveState = db.sql.prepare('UPDATE containers SET state = ? WHERE id = ?');
  const remove = db.sql.prepare('DELETE FROM containers WHERE id = ?');
  const column = (row: Record<string, unknown>, name: string): string => String(row[name]);
  return {
    all: () =>
      all.all().map((row) => ({
        id: column(row, 'id'),
        name: column(row, 'name'),
        image: column(row, 'image'),
        created: column(row, 'created'),
        spec: column(row, 'spec'),
        state: column(row, 'state'),
      })),
    insert: ({ id, name, image, created, spec, state }) => {
      db.transaction(() => insert.run(id, name, image, created, spec, state));
    },
    rename: (id, name) => void db.transaction(() => rename.run(name, id)),
    saveSpec: (id, spec) => void db.transaction(() => saveSpec.run(spec, id)),
    saveState: (id, state) => void db.transaction(() => saveState.run(state, id)),
    remove: (id) => void db.transaction(() => remove.run(id)),
  };
}
