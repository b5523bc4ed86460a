import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../util/errors.ts';
import type { Log } from '../util/log.ts';

/**
 * Takes files and directories away at once by renaming them into `tmp`, so that their names are free in the same tick, and
 * deletes them while other work goes on. What a kill leaves in `tmp` goes at the next start.
 */
export class Trash implements AsyncDisposable {
  readonly #tmp: string;
  readonly #log: Log;
  readonly #deleting = new Set<Promise<void>>();

  constructor(tmp: string, log: Log) {
    this.#tmp = tmp;
    this.#log = log;
  }

  /** Removes a path if it exists. */
  discard(path: string): void {
    const aside = join(this.#tmp, randomBytes(8).toString('hex'));
    try {
      renameSync(path, aside);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    this.delete(aside);
  }

  /** Deletes what nobody looks for any more, without waiting. */
  delete(path: string): void {
    // The tar of a killed engine may still be writing its last files.
    const work = rm(path, { recursive: true, force: true, maxRetries: 5 }).catch((error: unknown) => {
      this.#log.warn('could not delete', { path, error });
    });
    this.#deleting.add(work);
    void work.finally(() => this.#deleting.delete(work));
  }

  /** Resolves when nothing is being deleted. */
  async settled(): Promise<void> {
    while (this.#deleting.size > 0) await Promise.all(this.#deleting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
  }
}
