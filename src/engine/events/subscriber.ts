import type { EngineEvent } from '../engine.ts';

/** A reader that lags by more than this loses what comes next. */
const QUEUE = 1024;

/** One reader's queue between the bus and its loop. */
export class Subscriber {
  readonly #queue: EngineEvent[] = [];
  #wake = () => {};
  #closed = false;

  push(event: EngineEvent): void {
    if (this.#closed || this.#queue.length >= QUEUE) return;
    this.#queue.push(event);
    this.#wake();
  }

  /** No more events come; those in the queue are still given out. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The next events; undefined at the end. */
  async next(): Promise<EngineEvent[] | undefined> {
    while (this.#queue.length === 0) {
      if (this.#closed) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#queue.splice(0);
  }
}
