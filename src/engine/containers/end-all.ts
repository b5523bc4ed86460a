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
  const ended = new Set<Live>();
  // Who is being started has a process afterwards, and a client may start some while others end.
  for (let found = await running(parts, ended); found.length > 0; found = await running(parts, ended)) {
    await Promise.all(found.map((it) => end(parts, it, most)));
  }
}

/** Those that run once what is being done to them is done, but for the processes that were met before, which are noted. */
async function running({ registry, locks }: Parts, met: Set<Live>): Promise<Tracked[]> {
  await Promise.all(registry.all().map(({ container }) => locks.run(container.id, async () => {})));
  return registry.all().filter(({ live }) => {
    if (live === undefined || met.has(live)) return false;
    met.add(live);
    return true;
  });
}

async function end(parts: Parts, tracked: Tracked, most: number | undefined): Promise<void> {
  const { id, config } = tracked.container;
  const own = config.StopTimeout ?? parts.defaults.stopTimeout;
  const seconds = most === undefined || most < 0 || (own >= 0 && own < most) ? own : most;
  await endProcess(parts, tracked, { seconds }).catch((error: unknown) => {
    parts.log.warn('a container could not be ended before the host', { container: id, error });
  });
}
