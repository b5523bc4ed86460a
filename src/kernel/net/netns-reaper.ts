import { run } from '../../util/spawn.ts';
import { listNetns } from './netns-names.ts';

/**
 * Removes namespaces in batches: one command for all that were asked for while the last one ran.
 * The interfaces in a namespace go with it, a moment later.
 */
export class NetnsReaper {
  readonly #tag: string;
  #wanted: string[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(tag: string) {
    this.#tag = tag;
  }

  /** Resolves when the namespaces are gone; one that is not there is as good as gone. */
  remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return this.idle();
    this.#wanted.push(...names);
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#running = this.#removeAll(this.#wanted.splice(0));
        return this.#running;
      });
    return this.#next;
  }

  /** Resolves when nothing is left to do; never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#next ?? this.#running]);
  }

  async #removeAll(names: string[]): Promise<void> {
    const present = new Set(listNetns(this.#tag));
    const lines = names.filter((name) => present.has(name)).map((name) => `netns del ${name}\n`);
    if (lines.length > 0) await run('ip', ['-force', '-batch', '-'], { input: lines.join('') });
  }
}
