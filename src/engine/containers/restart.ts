import { autoRemove } from './auto-remove.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

/** Stops a container if it runs and starts it again. One that ran with auto-remove is not removed in between, only when it does not come up. */
export async function restartContainer(parts: Parts, tracked: Tracked, options: StopOptions): Promise<void> {
  tracked.restarting = true;
  try {
    if (isRunning(tracked)) await stopContainer(parts, tracked, options);
    await startContainer(parts, tracked);
  } finally {
    tracked.restarting = false;
    await autoRemove(parts, tracked);
  }
  emitContainer(parts.events, tracked.container, 'restart');
}
