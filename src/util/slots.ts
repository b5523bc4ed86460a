/** Lets at most `count` pieces of work run at a time; the others wait in the order they came. */
export class Slots {
  #count: number;
  /** Negative while more runs than may. */
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Whoever comes now has to wait. */
  get busy(): boolean {
    return this.#free <= 0;
  }

  /** From now on so many. What runs goes on, also when it is more. */
  resize(count: number): void {
    this.#free += count - this.#count;
    this.#count = count;
    this.#admit();
  }

  /** @throws the signal's reason when it comes before the work's turn. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Whose turn has come already takes it: the work itself will see that it is not wanted any more.
    const leave = () => void (this.#waiting.delete(resolve) && reject(signal?.reason));
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #give(): void {
    this.#free++;
    this.#admit();
  }

  #admit(): void {
    for (const next of this.#waiting) {
      if (this.busy) return;
      this.#free--;
      this.#waiting.delete(next);
      next();
    }
  }
}
