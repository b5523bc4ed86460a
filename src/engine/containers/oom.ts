import { setTimeout as sleep } from 'node:timers/promises';
import { isShortOfMemory, oomKills } from '../../kernel/cgroups/oom-kills.ts';
import { cgroupsPath } from '../runtime-spec/runtime-spec.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { saveState } from './save-state.ts';
import type { Live, Tracked } from './tracked.ts';

/** When the control group is asked whether it is so, milliseconds after the news and after each other. */
const LOOKS_MS = [0, 20, 100, 500];

/**
 * A shim says that a container is short of memory. It also says so when a control group goes away, and then the next run may be under way already:
 * so the group is asked. It knows of a killed process a moment after the news. What has ended was asked by `settle`.
 */
export async function hearOom(parts: Parts, id: string): Promise<void> {
  const tracked = parts.registry.byId(id);
  if (tracked?.live === undefined) return;
  try {
    await markIfSo(parts, tracked, tracked.live);
  } catch (error) {
    parts.log.warn('whether a container is short of memory cannot be known', { container: id, error });
  }
}

async function markIfSo(parts: Parts, tracked: Tracked, live: Live): Promise<void> {
  for (const wait of LOOKS_MS) {
    if (wait > 0) await sleep(wait);
    if (tracked.live !== live) return;
    if (isShortOfMemory(parts.host.cgroup, cgroupsPath(tracked.container, parts.host))) {
      markOom(parts, tracked);
      return;
    }
  }
}

/** The kernel killed a process of a container for want of memory; whether that ends the container is another matter. */
function markOom(parts: Parts, tracked: Tracked): void {
  tracked.container.state.oomKilled = true;
  saveState(parts, tracked.container);
  emitContainer(parts.events, tracked.container, 'oom');
}

/**
 * Asks the control group what may not have been heard: the news of a shim goes to nobody while there is no daemon. One that
 * cannot be read keeps nobody from being taken over or settled.
 */
export function findOom(parts: Parts, tracked: Tracked): void {
  const { container } = tracked;
  if (container.state.oomKilled) return;
  try {
    if (oomKills(parts.host.cgroup, cgroupsPath(container, parts.host)) > 0) markOom(parts, tracked);
  } catch (error) {
    parts.log.warn('whether a process was killed for want of memory cannot be known', {
      container: container.id,
      error,
    });
  }
}
