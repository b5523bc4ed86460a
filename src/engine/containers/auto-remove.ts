import { erase } from './erase.ts';
import type { Parts } from './parts.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

/** Removes a container of `--rm` that is down and that nobody will start again. It may be called at any such moment, and twice. */
export async function autoRemove(parts: Parts, tracked: Tracked): Promise<void> {
  const { container, restarting } = tracked;
  if (!container.hostConfig.AutoRemove || restarting) return;
  await parts.locks.run(container.id, async () => {
    if (!isRunning(tracked)) await erase(parts, tracked, { volumes: true });
  });
}
