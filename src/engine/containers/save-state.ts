import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { stateJson } from './stored.ts';

/**
 * Writes down what was seen of a container. A full disk keeps nobody from starting, stopping or following one: what runs is
 * observed at the next start, and how it ended is noted in its bundle.
 *
 * @returns whether it was written.
 */
export function saveState(parts: Parts, container: Container): boolean {
  try {
    parts.rows.saveState(container.id, stateJson(container));
    return true;
  } catch (error) {
    parts.log.error('the state of a container could not be written down', { container: container.id, error });
    return false;
  }
}
