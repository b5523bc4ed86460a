import type { Tracked } from '../containers/tracked.ts';
import type { StatsSample } from './sample.ts';

const SECOND = 1000;

/** What a watcher gets: every look at the container, undefined while it does not run. */
export type OnSample = (sample: StatsSample | undefined) => void;

/** Looks at containers once a second while somebody watches, once for all who do. */
export interface Watches {
  /** Disposing stops. The first look is at once when the container is not watched yet. */
  watch(tracked: Tracked, onSample: OnSample): Disposable;
  /** A look of one's own. */
  look(tracked: Tracked): StatsSample | undefined;
}

interface Watch extends Disposable {
  readonly watchers: Set<OnSample>;
}

export function openWatches(look: (tracked: Tracked) => StatsSample | undefined, period = SECOND): Watches {
  const watched = new Map<string, Watch>();
  return {
    look,
    watch(tracked, onSample) {
      const { id } = tracked.container;
      const watch = watched.get(id) ?? begin(() => look(tracked), period);
      watched.set(id, watch);
      watch.watchers.add(onSample);
      return {
        [Symbol.dispose]() {
          watch.watchers.delete(onSample);
          if (watch.watchers.size > 0) return;
          watch[Symbol.dispose]();
          if (watched.get(id) === watch) watched.delete(id);
        },
      };
    },
  };
}

function begin(look: () => StatsSample | undefined, period: number): Watch {
  const watchers = new Set<OnSample>();
  const tick = (): void => {
    const sample = look();
    for (const watcher of watchers) watcher(sample);
  };
  const first = setImmediate(tick);
  const timer = setInterval(tick, period);
  return {
    watchers,
    [Symbol.dispose]() {
      clearImmediate(first);
      clearInterval(timer);
    },
  };
}
