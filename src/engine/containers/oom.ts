import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';

/** The kernel killed a process of a container for want of memory; whether that ends the container is another matter. */
export function markOom(parts: Parts, id: string): void {
  const tracked = parts.registry.byId(id);
  if (tracked === undefined) return;
  tracked.container.state.oomKilled = true;
  emitContainer(parts.events, tracked.container, 'oom');
}
