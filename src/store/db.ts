import { DatabaseSync } from 'node:sqlite';
import { conflict, hasCode, internal, messageOf } from '../util/errors.ts';
import { migrations } from './schema.ts';

/** The metadata database. Statements are prepared by the modules that own a table; nothing else opens it. */
export interface Db {
  readonly sql: DatabaseSync;
  /**
   * Runs `work` in one transaction: on return it is durable on disk, on a throw nothing of it happened.
   *
   * @throws `internal` `… no space left on device`; what `work` throws.
   */
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens or creates the database and brings its schema up to date.
 *
 * The file is held under an exclusive lock that the kernel drops when the process dies, so two engines can never
 * work on one data root, and a killed one never blocks the next.
 *
 * @throws `conflict` when another engine holds it, or a newer one wrote it.
 */
export function openDb(path: string): Db {
  const sql = new DatabaseSync(path, { timeout: 0 });
  try {
    sql.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    sql.exec('PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT');
    migrate(sql);
  } catch (error) {
    sql.close();
    if (hasCode(error, 'ERR_SQLITE_ERROR') && /locked|busy/i.test(messageOf(error))) {
      throw conflict(`another engine is using ${path}`, error);
    }
    throw error;
  }
  const transaction = <T>(work: () => T): T => {
    sql.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      sql.exec('COMMIT');
      return result;
    } catch (error) {
      if (sql.isTransaction) sql.exec('ROLLBACK');
      throw isFull(error) ? internal(`write ${path}: no space left on device`, error) : error;
    }
  };
  return { sql, transaction, close: () => sql.close() };
}

/** Source: sqlite.org/rescode.html, SQLITE_FULL. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 13;
}

function migrate(sql: DatabaseSync): void {
  const row = sql.prepare('PRAGMA user_version').get();
  const version = Number(row?.['user_version'] ?? 0);
  if (version > migrations.length) throw conflict(`the data root was written by a newer version (schema ${version})`);
  for (const [index, script] of migrations.entries()) {
    if (index < version) continue;
    sql.exec(`BEGIN; ${script}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
