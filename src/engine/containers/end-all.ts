import type { Parts } from './parts.ts';
import { endProcess } from './stop.ts';
import type { Tracked } from './tracked.ts';

/**
 * Ends every container as a stop does, because the host is about to do so in its own way. Nobody wanted them down: their policies start
 * them again with the next engine, and none before.
 *
 * @param most seconds, where a container would have more; undefined or negative: each has its own time.
 */
export async function endAll(parts: Parts, most: number | undefined): Promise<void> {
  parts.restarts[Symbol.dispose]();
  const running = parts.registry.all().filter(({ live }) => live !== undefined);
  await Promise.all(running.map((it) => end(parts, it, most)));
}

async function end(parts: Parts, tracked: Tracked, most: number | undefined): Promise<void> {
  const { id, config } = tracked.container;
  const own = config.StopTimeout ?? parts.defaults.stopTimeout;
  const seconds = most === undefined || most < 0 || (own >= 0 && own < most) ? own : most;
  await endProcess(parts, tracked, { seconds }).catch((error: unknown) => {
    parts.log.warn('a container could not be ended before the host', { container: id, error });
  });
}
