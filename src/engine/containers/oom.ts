import { oomKills } from '../../kernel/cgroups/oom-kills.ts';
import { cgroupsPath } from '../runtime-spec/runtime-spec.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { saveState } from './save-state.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

/** The kernel killed a process of a container for want of memory; whether that ends the container is another matter. */
export function markOom(parts: Parts, id: string): void {
  const tracked = parts.registry.byId(id);
  // The news may come after the end, for which the control group has been looked at.
  if (tracked === undefined || (tracked.container.state.oomKilled && !isRunning(tracked))) return;
  tracked.container.state.oomKilled = true;
  saveState(parts, tracked.container);
  emitContainer(parts.events, tracked.container, 'oom');
}

/**
 * Asks the control group what may not have been heard: the news of a shim goes to nobody while there is no daemon. One that
 * cannot be read keeps nobody from being taken over or settled.
 */
export function findOom(parts: Parts, { container }: Tracked): void {
  if (container.state.oomKilled) return;
  try {
    if (oomKills(parts.host.cgroup, cgroupsPath(container, parts.host)) > 0) markOom(parts, container.id);
  } catch (error) {
    parts.log.warn('whether a process was killed for want of memory cannot be known', {
      container: container.id,
      error,
    });
  }
}
