import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import { parseExact } from '../../client/json-stream.ts';
import type { EventMessage, StatsMessage } from '../../client/types.ts';
import { messageOf } from '../../util/errors.ts';
import type { StatsLine } from '../format/stats-row.ts';

interface Entry {
  readonly container: string;
  stats: StatsMessage | undefined;
  readonly gone: AbortController;
}

/** What is known of several containers, kept up to date while its streams run. */
export class StatsBoard {
  readonly #client: Client;
  readonly #entries = new Map<string, Entry>();

  constructor(client: Client) {
    this.#client = client;
  }

  get lines(): StatsLine[] {
    return [...this.#entries.values()];
  }

  /** Asks once for each. @returns what failed. */
  async fill(containers: readonly string[]): Promise<string[]> {
    const asked = containers.map(async (container) => {
      const entry = this.#add(container);
      try {
        for await (const stats of this.#client.containers.stats(container, false)) entry.stats = stats;
        return [];
      } catch (error) {
        this.#entries.delete(container);
        return [messageOf(error)];
      }
    });
    return (await Promise.all(asked)).flat();
  }

  /** Follows a container until it is dropped or the signal fires; `failed` hears why it cannot be. */
  follow(container: string, signal: AbortSignal, failed: (error: unknown) => void): void {
    if (this.#entries.has(container)) return;
    const entry = this.#add(container);
    this.#stream(entry, AbortSignal.any([signal, entry.gone.signal])).catch((error: unknown) => {
      if (!signal.aborted && !entry.gone.signal.aborted) failed(error);
      this.drop(container);
    });
  }

  drop(container: string): void {
    this.#entries.get(container)?.gone.abort();
    this.#entries.delete(container);
  }

  /** Adds containers as they start and drops them as they end, or with `all` as they come and go. */
  async followEvents(all: boolean, signal: AbortSignal): Promise<void> {
    const filters = JSON.stringify({ type: ['container'] });
    const [come, go] = all ? ['create', 'destroy'] : ['start', 'die'];
    for await (const line of this.#client.events({ filters }, signal)) {
      const { Action, Actor } = parseExact(line) as EventMessage;
      if (Action === come) this.follow(Actor.ID.slice(0, 12), signal, () => {});
      if (Action === go) this.drop(Actor.ID.slice(0, 12));
    }
  }

  #add(container: string): Entry {
    const entry: Entry = { container, stats: undefined, gone: new AbortController() };
    this.#entries.set(container, entry);
    return entry;
  }

  async #stream(entry: Entry, signal: AbortSignal): Promise<void> {
    for await (const stats of this.#client.containers.stats(entry.container, true, signal)) entry.stats = stats;
    this.drop(entry.container);
  }

  /** Waits until every container has answered or is gone, so that the first screen is full. */
  async filled(signal: AbortSignal): Promise<void> {
    const waiting = () => [...this.#entries.values()].some(({ stats }) => stats === undefined);
    for (let tries = 0; tries < 30 && waiting() && !signal.aborted; tries++) await sleep(50);
  }
}
