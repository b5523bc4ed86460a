import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { hasCode, messageOf, unavailable } from '../../util/errors.ts';
import { ensureDirSync } from '../../util/files.ts';

/** Root's alone, and the same for all engines, wherever their roots are. */
const LOCK_DIR = '/run/gantry-locks';
const PAUSE_MS = 20;

/**
 * A lock that all engines of this host share and nobody but root can hold: that of an empty SQLite database, which belongs to a
 * process and is dropped by the kernel with it. The file stays, so that nobody waits for one that is gone.
 *
 * @throws `unavailable` when it is still held after `patience` milliseconds.
 */
export async function hostLock(
  name: string,
  { patience = 20_000, dir = LOCK_DIR }: { patience?: number; dir?: string } = {},
): Promise<Disposable> {
  ensureDirSync(dir, 0o700);
  const deadline = performance.now() + patience;
  for (;;) {
    const lock = tryLock(join(dir, name));
    if (lock !== undefined) return lock;
    if (performance.now() > deadline) throw unavailable(`another engine has held the lock "${name}" for too long`);
    await setTimeout(PAUSE_MS);
  }
}

/** Undefined while somebody else has it. */
function tryLock(path: string): Disposable | undefined {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    if (hasCode(error, 'ERR_SQLITE_ERROR') && /locked|busy/i.test(messageOf(error))) return undefined;
    throw error;
  }
}
