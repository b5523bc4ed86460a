import { GantryError, invalid } from '../../util/errors.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import type { Tracked } from './tracked.ts';

/** Gives a container another name. @throws `invalid` for an unchanged one, `conflict` when it is taken. */
export function renameContainer(parts: Parts, tracked: Tracked, name: string): Promise<void> {
  return parts.locks.run(tracked.container.id, async () => {
    const { container } = tracked;
    const before = container.name;
    if (name.replace(/^\//, '') === before)
      throw invalid('Renaming a container with the same name as its current name');
    const after = reserve(parts, `/${name.replace(/^\//, '')}`, container.id);
    try {
      parts.rows.rename(container.id, after);
    } catch (error) {
      parts.registry.release(after);
      throw error;
    }
    parts.registry.release(before);
    container.name = after;
    emitContainer(parts.events, container, 'rename', { oldName: `/${before}` });
  });
}

function reserve(parts: Parts, name: string, id: string): string {
  try {
    return parts.registry.reserve(name, id);
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw new GantryError(error.kind, `Error when allocating new name: ${error.message}`, { cause: error });
  }
}
