import type { Tracked } from '../containers/tracked.ts';
import { isRunning } from '../containers/wait.ts';
import type { ContainerStats, StatsQuery } from '../engine.ts';
import type { StatsSample } from './sample.ts';
import type { Watches } from './watches.ts';

/** What a client of the figures gets, as `Containers.stats` promises. */
export async function* statsOf(watches: Watches, tracked: Tracked, query: StatsQuery): AsyncGenerator<ContainerStats> {
  const { container } = tracked;
  const told = (now?: StatsSample, before?: StatsSample): ContainerStats => ({
    id: container.id,
    name: container.name,
    now,
    before: now?.startedAt === before?.startedAt ? before : undefined,
  });
  if (!query.stream && (query.oneShot || !isRunning(tracked))) {
    yield told(watches.look(tracked));
    return;
  }
  let before: StatsSample | undefined;
  let first = true;
  for await (const now of samples(watches, tracked, query.signal)) {
    // Percentages need two looks; a container that ended meanwhile has nothing to wait for.
    const compared = now === undefined || !first;
    if (query.stream || compared) yield told(now, before);
    if (!query.stream && compared) return;
    before = now;
    first = false;
  }
}

/** The newest look at a time: who reads slowly misses some. Ends when the container is removed or the signal fires. */
async function* samples(
  watches: Watches,
  tracked: Tracked,
  signal: AbortSignal,
): AsyncGenerator<StatsSample | undefined> {
  let latest: { sample: StatsSample | undefined } | undefined;
  const over = new AbortController();
  let wake = Promise.withResolvers<void>();
  const end = (): void => {
    over.abort();
    wake.resolve();
  };
  if (signal.aborted) end();
  using _watch = watches.watch(tracked, (sample) => {
    latest = { sample };
    wake.resolve();
  });
  tracked.onRemoved.add(end);
  signal.addEventListener('abort', end, { once: true });
  try {
    while (!over.signal.aborted) {
      await wake.promise;
      wake = Promise.withResolvers();
      const taken = latest;
      latest = undefined;
      if (taken !== undefined && !over.signal.aborted) yield taken.sample;
    }
  } finally {
    tracked.onRemoved.delete(end);
    signal.removeEventListener('abort', end);
  }
}
