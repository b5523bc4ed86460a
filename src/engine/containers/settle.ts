import { join } from 'node:path';
import { removeBundle } from '../../kernel/bundle.ts';
import type { Exit } from '../../kernel/shim/shim-pool.ts';
import { nowRfc3339Nano, parseRfc3339Nano } from '../../util/time.ts';
import { autoRemove } from './auto-remove.ts';
import { emitContainer, emitNetworks, emitVolumes } from './container-events.ts';
import type { Container } from './model.ts';
import { findOom } from './oom.ts';
import type { Parts } from './parts.ts';
import { backOff, nextDelay, type RunEnd } from './restart-policy.ts';
import { writeExitRecord } from './run-records.ts';
import { saveState } from './save-state.ts';
import { type Live, notify, type Tracked } from './tracked.ts';
import { useNetwork } from './use-network.ts';
import { leaveVolumes } from './volume-mounts.ts';

/** The exit code of a process whose end nobody saw, because its shim or the machine went down. */
export const UNSEEN_EXIT = 255;

/** Waits for a live process in the background and settles its container when it ends. */
export function followProcess(parts: Parts, tracked: Tracked, live: Live): void {
  live.task
    .wait()
    .catch((error: unknown): Exit => {
      if (!parts.leaving.aborted)
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
  const settled = await parts.locks.run(tracked.container.id, async () => {
    if (parts.leaving.aborted) return false;
    const { container, live } = tracked;
    // Its processes are gone, so the network can go while the shim still takes the rest apart.
    const left = parts.networks.leave(container.id);
    left.catch(failing(parts, container.id)('a network namespace stays until the next start'));
    // First: a probe that dies with its container says nothing of its health.
    parts.health.stop(container);
    if (live !== undefined) findOom(parts, tracked);
    if (live !== undefined)
      await closeProcess(parts, container, live, exit).catch(
        failing(parts, container.id)('what a process used is not all gone'),
      );
    const delay = delayAfter(tracked, exit);
    container.state = {
      ...container.state,
      status: delay === undefined ? 'exited' : 'restarting',
      pid: 0,
      shim: '',
      exitCode: exit.status,
      finishedAt: exit.at,
      restartDelay: delay ?? 0,
      health: container.state.health && { ...container.state.health, healing: false },
    };
    if (delay !== undefined) container.restartCount++;
    await Promise.all([writeDown(parts, container), left.catch(() => {}), leaveVolumes(parts, container)]);
    emitContainer(parts.events, container, 'die', {
      execDuration: String(secondsBetween(container.state.startedAt, exit.at)),
      exitCode: String(exit.status),
    });
    emitNetworks(parts.events, container, 'disconnect');
    emitVolumes(parts.events, container, 'unmount');
    useNetwork(container, undefined);
    container.execIds = [];
    tracked.live = undefined;
    live?.settled.resolve();
    if (delay !== undefined) parts.restarts.schedule(container.id, delay);
    return true;
  });
  if (!settled) return;
  notify(tracked.onExit, { statusCode: exit.status });
  await autoRemove(parts, tracked);
}

/** How long the container waits to be started again; undefined: it stays down. */
function delayAfter(tracked: Tracked, exit: Exit): number | undefined {
  const { state, hostConfig } = tracked.container;
  const end = runEnd(tracked, exit);
  if (state.health?.healing === true && !state.stoppedByHand) return backOff(end);
  return nextDelay(hostConfig.RestartPolicy, end);
}

/** What the restart policy is to know. Nobody can tell how long a process ran that ended while no engine looked. */
function runEnd({ container, live }: Tracked, exit: Exit): RunEnd {
  const { restartDelay, stoppedByHand } = container.state;
  return {
    exitCode: exit.status,
    ranMs: live === undefined ? 0 : performance.now() - live.startedTick,
    lastDelay: restartDelay,
    restartCount: container.restartCount,
    stoppedByHand,
  };
}

/**
 * The row first, then what the process was made of and the next daemon would need if this one were killed in between. A
 * row that cannot be written, on a full disk, must not keep anybody waiting for the end: then the bundle tells it.
 */
async function writeDown(parts: Parts, container: Container): Promise<void> {
  const { id } = container;
  const failed = failing(parts, id);
  if (!saveState(parts, container)) return;
  await removeBundle(join(parts.paths.bundles, id)).catch(failed('a bundle stays until the next start'));
}

const failing = (parts: Parts, id: string) => (what: string) => (error: unknown) =>
  parts.log.warn(what, { container: id, error });

/**
 * Deleting comes first: the shim answers it when it has passed on all output, so that the pipes then hold the rest. The exit
 * code is noted in the bundle before that, because afterwards the shim no longer knows it.
 */
async function closeProcess(parts: Parts, container: Container, live: Live, exit: Exit): Promise<void> {
  const failed = failing(parts, container.id);
  live.hub.exited();
  noteExit(parts, container.id, exit);
  await live.task.delete().catch(async (error: unknown) => {
    failed('the shim could not delete a task')(error);
    await parts.reap(container.id).catch(failed('what a lost shim held could not be taken apart'));
    // A shim that is there still would hold it for ever, and never end: now nothing keeps it from letting go.
    await live.task.delete().catch(() => {});
  });
  await live.hub.finish().catch(failed('the output of a process could not be finished'));
  live.pipes.release();
}

function noteExit(parts: Parts, id: string, exit: Exit): void {
  try {
    writeExitRecord(parts, id, exit);
  } catch (error) {
    failing(parts, id)('an exit code could not be noted')(error);
  }
}

function secondsBetween(from: string, to: string): bigint {
  const span = parseRfc3339Nano(to) - parseRfc3339Nano(from);
  return span < 0n ? 0n : span / 1_000_000_000n;
}
