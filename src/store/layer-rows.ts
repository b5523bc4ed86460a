import type { Db } from './db.ts';
import type { Layer } from './layers.ts';

/** The table of layers. */
export interface LayerRows {
  all(): Layer[];
  find(chainId: string): Layer | undefined;
  findByDiffId(diffId: string): Layer | undefined;
  findByBlob(digest: string): Layer | undefined;
  insert(layer: Layer): void;
  remove(chainId: string): void;
}

const COLUMNS = 'chain_id, diff_id, parent, link, size, opaque, blob';

function layer(row: Record<string, unknown>): Layer {
  const { parent } = row;
  return {
    chainId: String(row['chain_id']),
    diffId: String(row['diff_id']),
    parent: typeof parent === 'string' ? parent : undefined,
    link: String(row['link']),
    size: Number(row['size']),
    opaque: row['opaque'] === 1,
    blob: String(row['blob']),
  };
}

export function openLayerRows(db: Db): LayerRows {
  const all = db.sql.prepare(`SELECT ${COLUMNS} FROM layers`);
  const find = db.sql.prepare(`SELECT ${COLUMNS} FROM layers WHERE chain_id = ?`);
  const findByDiff = db.sql.prepare(`SELECT ${COLUMNS} FROM layers WHERE diff_id = ? LIMIT 1`);
  const findByBlob = db.sql.prepare(`SELECT ${COLUMNS} FROM layers WHERE blob = ? LIMIT 1`);
  const insert = db.sql.prepare(`INSERT OR IGNORE INTO layers (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const remove = db.sql.prepare('DELETE FROM layers WHERE chain_id = ?');
  const one = (row: Record<string, unknown> | undefined) => (row === undefined ? undefined : layer(row));
  return {
    all: () => all.all().map(layer),
    find: (chainId) => one(find.get(chainId)),
    findByDiffId: (diffId) => one(findByDiff.get(diffId)),
    findByBlob: (digest) => one(findByBlob.get(digest)),
    insert: ({ chainId, diffId, parent, link, size, opaque, blob }) =>
      void insert.run(chainId, diffId, parent ?? null, link, size, opaque ? 1 : 0, blob),
    remove: (chainId) => void remove.run(chainId),
  };
}
