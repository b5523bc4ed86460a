import { freezeGroup } from '../../kernel/cgroups/freeze.ts';
import { conflict, messageOf } from '../../util/errors.ts';
import { cgroupsPath } from '../runtime-spec/runtime-spec.ts';
import { emitContainer } from './container-events.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { saveState } from './save-state.ts';
import type { Live, Tracked } from './tracked.ts';
import { isRunning, refuseRestarting } from './wait.ts';

/**
 * Freezes every process of a container.
 *
 * @param forCommit it is the engine that wants it so for a while: if it dies meanwhile, the next one thaws it
 * @throws `conflict` when it does not run or is frozen already.
 */
export function pauseContainer(parts: Parts, tracked: Tracked, forCommit = false): Promise<void> {
  return parts.locks.run(tracked.container.id, async () => {
    const { container, live } = tracked;
    refuseRestarting(tracked);
    if (!isRunning(tracked) || live === undefined) throw conflict(`Container ${container.id} is not running`);
    if (container.state.status === 'paused') throw conflict(`Container ${container.id} is already paused`);
    container.state.pausedForCommit = forCommit;
    // Written down before it is so: the engine may die at any moment.
    if (forCommit) saveState(parts, container);
    await live.task.pause().catch((error: unknown) => refuseEnded(live, container, error));
    parts.health.stop(container);
    container.state.status = 'paused';
    saveState(parts, container);
    emitContainer(parts.events, container, 'pause');
  });
}

/** A process may have ended and not be settled yet: that is a container that does not run, not a fault. */
async function refuseEnded({ task }: Live, { id }: Container, error: unknown): Promise<never> {
  const state = await task.state().catch(() => undefined);
  if (state === undefined || state.status === 'stopped') throw conflict(`Container ${id} is not running`, error);
  throw error;
}

/** Thaws what `pauseContainer` froze. @throws `conflict` when it is not frozen. */
export function unpauseContainer(parts: Parts, tracked: Tracked): Promise<void> {
  return parts.locks.run(tracked.container.id, async () => {
    const { container, live } = tracked;
    if (container.state.status !== 'paused' || live === undefined) {
      throw conflict(`Container ${container.id} is not paused`);
    }
    await resume(parts, container, live);
    container.state.status = 'running';
    container.state.pausedForCommit = false;
    parts.health.resume(tracked);
    saveState(parts, container);
    emitContainer(parts.events, container, 'unpause');
  });
}

/**
 * An engine that died while it thawed a container may have left it running for the runtime and frozen for the shim, which then never resumes it:
 * the two have to agree first.
 */
async function resume({ host }: Parts, container: Container, { task }: Live): Promise<void> {
  try {
    await task.resume();
  } catch (error) {
    if (!/not paused/i.test(messageOf(error))) throw error;
    await freezeGroup(host.cgroup, cgroupsPath(container, host));
    await task.resume();
  }
}
