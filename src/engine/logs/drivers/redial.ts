/** How long a receiver that did not answer is left alone, in milliseconds. */
const PAUSE = 100;

/**
 * Keeps a receiver that is away from being dialled with every message of a container that talks a lot: for a moment after a failure, what
 * is to be sent fails as the last one did.
 */
export class Redial {
  #failure: { at: number; error: unknown } | undefined;

  /** @throws what `dial` throws, or threw a moment ago. */
  async run(dial: () => Promise<void>): Promise<void> {
    const failure = this.#failure;
    if (failure !== undefined && performance.now() - failure.at < PAUSE) throw failure.error;
    try {
      await dial();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = { at: performance.now(), error };
      throw error;
    }
  }
}
