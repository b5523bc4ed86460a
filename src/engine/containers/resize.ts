import { conflict } from '../../util/errors.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import type { Tracked } from './tracked.ts';

/** Tells a container's terminal its size in characters. @throws `conflict` when it does not run. */
export async function resizeContainer(
  parts: Parts,
  { container, live }: Tracked,
  size: { height: number; width: number },
): Promise<void> {
  if (live === undefined) throw conflict(`Container ${container.id} is not running`);
  await live.task.resize(size);
  emitContainer(parts.events, container, 'resize', { height: String(size.height), width: String(size.width) });
}
