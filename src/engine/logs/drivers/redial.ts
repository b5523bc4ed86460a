/** How long a receiver that did not answer is left alone at least, in milliseconds. */
const PAUSE = 100;

/**
 * Keeps a receiver that is away from being dialled with every message of a container that talks a lot: after a failure what is to be sent fails as
 * the last one did, for a moment, or for as long as it took to fail.
 */
export class Redial {
  #failure: { until: number; error: unknown } | undefined;

  /** @throws what `dial` throws, or threw a moment ago. */
  async run(dial: () => Promise<void>): Promise<void> {
    const begun = performance.now();
    if (this.#failure !== undefined && begun < this.#failure.until) throw this.#failure.error;
    try {
      await dial();
      this.#failure = undefined;
    } catch (error) {
      const now = performance.now();
      this.#failure = { until: now + Math.max(PAUSE, now - begun), error };
      throw error;
    }
  }
}
