import type { UpdateBody } from '../../spec/container.ts';
import { conflict, internal, kindOf, messageOf } from '../../util/errors.ts';
import { liveResources, restoredResources } from '../runtime-spec/resources.ts';
import { changedHostConfig, validateUpdate } from '../runtime-spec/update-limits.ts';
import { emitContainer } from './container-events.ts';
import type { Parts } from './parts.ts';
import { specJson } from './stored.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

/**
 * Changes the limits and the restart policy of a container; those of one that runs or is frozen hold at once.
 *
 * @returns warnings. @throws `invalid`, `conflict` in Docker's words; `internal` when the kernel refuses a limit: then
 * nothing is changed.
 */
export function updateContainer(parts: Parts, tracked: Tracked, changes: UpdateBody): Promise<string[]> {
  return parts.locks.run(tracked.container.id, async () => {
    const { container } = tracked;
    const warnings = validateUpdate(changes, parts.host);
    await naming(container.id, () => apply(parts, tracked, changes));
    emitContainer(parts.events, container, 'update');
    return warnings;
  });
}

/** The kernel is asked first: it may refuse. What it took of a change that fails, then or when it is written down, is taken back. */
async function apply(parts: Parts, tracked: Tracked, changes: UpdateBody): Promise<void> {
  const { container, live } = tracked;
  if (container.state.status === 'removing' || container.state.status === 'dead') {
    throw conflict('container is marked for removal and cannot be "update"');
  }
  const before = container.hostConfig;
  const after = changedHostConfig(before, changes);
  const task = isRunning(tracked) ? live?.task : undefined;
  try {
    await task?.update(liveResources(after));
    parts.rows.saveSpec(container.id, specJson({ ...container, hostConfig: after }));
  } catch (error) {
    await task?.update(restoredResources(before, after, parts.host)).catch((failure: unknown) => {
      parts.log.warn('limits that were refused could not be taken back', { container: container.id, error: failure });
    });
    throw error;
  }
  Object.assign(before, after);
}

async function naming(id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    // Docker names the runtime, and not where it is.
    const message = `Cannot update container ${id}: ${messageOf(cause).replace(/\S*\/(\S+ did not terminate)/, '$1')}`;
    // What a runtime or a lost shim says is no fault of the request, whatever its kind.
    throw kindOf(cause) === 'conflict' ? conflict(message, cause) : internal(message, cause);
  }
}
