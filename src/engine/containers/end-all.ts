import type { Parts } from './parts.ts';
import { endProcess } from './stop.ts';
import type { Live, Tracked } from './tracked.ts';

/**
 * Ends every container as a stop does, because the host is about to do so in its own way. Nobody wanted them down: their policies start
 * them again with the next engine, and none before.
 *
 * @param most seconds, where a container would have more; undefined or negative: each has its own time.
 */
export async function endAll(parts: Parts, most: number | undefined): Promise<void> {
  parts.restarts[Symbol.dispose]();
  const met = new Set<Live>();
  const isNew = ({ live }: Tracked) => live !== undefined && !met.has(live);
  const endOnce = async (tracked: Tracked): Promise<void> => {
    if (tracked.live === undefined || met.has(tracked.live)) return;
    met.add(tracked.live);
    await end(parts, tracked, most);
  };
  // Who is being started has a process afterwards, and a client may start some while others end.
  for (let before = -1; before < met.size || parts.registry.all().some(isNew); ) {
    before = met.size;
    await Promise.all(parts.registry.all().map((it) => endOnceFree(parts, it, endOnce)));
  }
}

/** What runs is ended at once: the host does not wait for long. What comes of that which is being done to it, afterwards. */
async function endOnceFree(
  { locks }: Parts,
  tracked: Tracked,
  endOnce: (tracked: Tracked) => Promise<void>,
): Promise<void> {
  const free = locks.run(tracked.container.id, async () => {});
  await Promise.all([endOnce(tracked), free.then(() => endOnce(tracked))]);
}

async function end(parts: Parts, tracked: Tracked, most: number | undefined): Promise<void> {
  const { id, config } = tracked.container;
  const own = config.StopTimeout ?? parts.defaults.stopTimeout;
  const seconds = most === undefined || most < 0 || (own >= 0 && own < most) ? own : most;
  await endProcess(parts, tracked, { seconds }).catch((error: unknown) => {
    parts.log.warn('a container could not be ended before the host', { container: id, error });
  });
}
