import type { Progress } from '../engine.ts';

/** Lines of progress from many workers to one reader. A reader that lags misses only how far something had come meanwhile. */
export class ProgressFeed implements AsyncIterable<Progress> {
  readonly #lines: Progress[] = [];
  #over = false;
  #wake: () => void = () => {};

  readonly push = (line: Progress): void => {
    const last = this.#lines.findIndex(({ id, status }) => id === line.id && status === line.status);
    if (last >= 0 && line.progressDetail !== undefined) this.#lines[last] = line;
    else this.#lines.push(line);
    this.#wake();
  };

  readonly end = (): void => {
    this.#over = true;
    this.#wake();
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<Progress> {
    for (;;) {
      yield* this.#lines.splice(0);
      if (this.#over && this.#lines.length === 0) return;
      if (this.#lines.length > 0) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
