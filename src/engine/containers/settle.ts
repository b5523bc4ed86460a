import { join } from 'node:path';
import { removeBundle } from '../../kernel/bundle.ts';
import type { Exit } from '../../kernel/shim/shim-pool.ts';
import { nowRfc3339Nano, parseRfc3339Nano } from '../../util/time.ts';
import { emitContainer, emitNetworks } from './container-events.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { removeContainer } from './remove.ts';
import { stateJson } from './stored.ts';
import { type Live, notify, type Tracked } from './tracked.ts';
import { useNetwork } from './use-network.ts';

/** The exit code of a process whose end nobody saw, because its shim or the machine went down. */
export const UNSEEN_EXIT = 255;

/** Waits for a live process in the background and settles its container when it ends. */
export function followProcess(parts: Parts, tracked: Tracked, live: Live): void {
  live.task
    .wait()
    .catch((error: unknown): Exit => {
      parts.log.error('lost sight of a process', { container: tracked.container.id, error });
      return { status: UNSEEN_EXIT, at: nowRfc3339Nano() };
    })
    .then((exit) => settle(parts, tracked, exit))
    .catch((error: unknown) => {
      parts.log.error('could not settle a container', { container: tracked.container.id, error });
    });
}

/**
 * Writes down that a container's process has ended, and takes away what it used: the only place that does, called on a
 * live exit and by recovery alike.
 */
export async function settle(parts: Parts, tracked: Tracked, exit: Exit): Promise<void> {
  await parts.locks.run(tracked.container.id, async () => {
    const { container, live } = tracked;
    if (live !== undefined) await closeProcess(parts, container, live);
    container.state = {
      ...container.state,
      status: 'exited',
      pid: 0,
      shim: '',
      exitCode: exit.status,
      finishedAt: exit.at,
    };
    parts.rows.saveState(container.id, stateJson(container));
    emitContainer(parts.events, container, 'die', {
      execDuration: String(secondsBetween(container.state.startedAt, exit.at)),
      exitCode: String(exit.status),
    });
    emitNetworks(parts.events, container, 'disconnect');
    useNetwork(container, undefined);
    container.execIds = [];
    tracked.live = undefined;
    live?.settled.resolve();
  });
  notify(tracked.onExit, { statusCode: exit.status });
  if (tracked.container.hostConfig.AutoRemove && !tracked.restarting) {
    await removeContainer(parts, tracked, { force: false, volumes: true });
  }
}

/** Deleting comes first: the shim answers it when it has passed on all output, so that the pipes then hold the rest. */
async function closeProcess(parts: Parts, container: Container, live: Live): Promise<void> {
  const { id } = container;
  const failed = (what: string) => (error: unknown) => parts.log.warn(what, { container: id, error });
  live.hub.exited();
  await live.task.delete().catch(async (error: unknown) => {
    failed('the shim could not delete a task')(error);
    await parts.reap(container).catch(failed('what a lost shim held could not be taken apart'));
  });
  await live.hub.finish().catch(failed('the output of a process could not be finished'));
  live.pipes.release();
  await Promise.all([
    removeBundle(join(parts.paths.bundles, id)).catch(failed('a bundle stays until the next start')),
    parts.networks.leave(id).catch(failed('a network namespace stays until the next start')),
  ]);
}

function secondsBetween(from: string, to: string): bigint {
  const span = parseRfc3339Nano(to) - parseRfc3339Nano(from);
  return span < 0n ? 0n : span / 1_000_000_000n;
}
