import { setTimeout as sleep } from 'node:timers/promises';
import { AT_EXIT } from './outbox.ts';

/** What containers that have ended still have to send. */
export class LastMessages {
  readonly #leaving = new Set<Promise<void>>();

  /** @param leaving resolves when the messages of one container have left, or had their time. */
  add(leaving: Promise<void>): void {
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  /** Resolves when all have left; the end of the daemon does not wait longer for them than for those of running containers. */
  async gone(): Promise<void> {
    const late = new AbortController();
    const patience = sleep(AT_EXIT, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#leaving), patience]);
    late.abort();
  }
}
