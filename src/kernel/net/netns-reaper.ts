import { internal } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';
import { listNetns } from './netns-names.ts';

/**
 * Removes namespaces in batches: one command for all that were asked for while the last one ran.
 * The interfaces in a namespace go with it, a moment later.
 */
export class NetnsReaper {
  readonly #tag: string;
  #wanted: string[] = [];
  #next: Promise<string> | undefined;
  #running: Promise<string> = Promise.resolve('');

  constructor(tag: string) {
    this.#tag = tag;
  }

  /**
   * Resolves when the namespaces are gone; one that is not there is as good as gone.
   *
   * @throws `internal` when one of them stays, whatever happens to others of the batch.
   */
  async remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return this.idle();
    this.#wanted.push(...names);
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#running = this.#removeAll(this.#wanted.splice(0));
        return this.#running;
      });
    const complaint = await this.#next;
    const present = new Set(listNetns(this.#tag));
    const stuck = names.filter((name) => present.has(name));
    if (stuck.length > 0) throw internal(`cannot remove the network namespace ${stuck.join(', ')}: ${complaint}`);
  }

  /** Resolves when nothing is left to do; never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#next ?? this.#running]);
  }

  /** @returns what `ip` complains of; it goes on with the rest. */
  async #removeAll(names: string[]): Promise<string> {
    const present = new Set(listNetns(this.#tag));
    const lines = names.filter((name) => present.has(name)).map((name) => `netns del ${name}\n`);
    if (lines.length === 0) return '';
    const { stderr } = await run('ip', ['-force', '-batch', '-'], { input: lines.join(''), allowFailure: true });
    return stderr.trim();
  }
}
