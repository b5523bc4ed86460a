import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeBundle } from '../../kernel/bundle.ts';
import type { Exit, Task, TaskState } from '../../kernel/shim/shim-pool.ts';
import { endsWithin } from '../../util/ends-within.ts';
import { hasCode } from '../../util/errors.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { Container } from './model.ts';
import { findOom } from './oom.ts';
import { openHub } from './open-hub.ts';
import type { Parts } from './parts.ts';
import { unpauseContainer } from './pause.ts';
import { readExitRecord, readIoRecord } from './run-records.ts';
import { saveState } from './save-state.ts';
import { followProcess, settle, UNSEEN_EXIT } from './settle.ts';
import type { Live, Tracked } from './tracked.ts';
import { useNetwork } from './use-network.ts';

const THAW_ATTEMPTS = 20;
/** How long a killed process may take to be gone before its task is given up. */
const KILLED_MS = 10_000;

/** A container's task as a shim holds it. */
export interface Found {
  readonly task: Task;
  readonly state: TaskState;
}

/** What is to be done with a container once all have been looked at. */
type Next = (() => Promise<void>) | undefined;

/**
 * Makes what is known of a container agree with its task, or with there being none. One that cannot be taken over is ended, because a
 * process that nobody follows could be neither stopped nor seen.
 *
 * @param pipes gets the paths of the FIFOs that are in use.
 * @throws what the engine itself lacks, file descriptors or memory: the container is well, and the next engine may have them.
 */
export async function takeOver(
  parts: Parts,
  tracked: Tracked,
  found: Found | undefined,
  pipes: Set<string>,
): Promise<Next> {
  try {
    return found === undefined ? await withoutTask(parts, tracked) : await withTask(parts, tracked, found, pipes);
  } catch (error) {
    if (found !== undefined && hasCode(error, 'EMFILE', 'ENFILE', 'ENOMEM')) throw error;
    parts.log.error('a container could not be taken over and is ended', { container: tracked.container.id, error });
    const exit = found === undefined ? undefined : await discardTask(parts, tracked.container.id, found.task);
    return unseen(parts, tracked, found?.state.status === 'stopped' ? found.state.exit : exit);
  }
}

/**
 * A container whose process nobody holds: if it ran when last seen, it ended while an earlier daemon was settling it,
 * ended without a witness, or goes on without one. Its last words may still be in its pipes.
 */
async function withoutTask(parts: Parts, tracked: Tracked): Promise<Next> {
  const { container } = tracked;
  if (!existsSync(join(parts.paths.bundles, container.id))) return unseen(parts, tracked, undefined);
  const failed = failing(parts, container.id);
  await parts.reap(container.id).catch(failed('what a lost shim held could not be taken apart'));
  const exit = await readExitRecord(parts, container.id).catch(failed('the exit code of a process is lost'));
  const next = unseen(parts, tracked, exit);
  if (next !== undefined) await drainPipes(parts, container).catch(failed('the last output of a process is lost'));
  return next;
}

function unseen(parts: Parts, tracked: Tracked, exit: Exit | undefined): Next {
  const { status } = tracked.container.state;
  if (status !== 'running' && status !== 'paused') return undefined;
  return () => settle(parts, tracked, exit ?? { status: UNSEEN_EXIT, at: nowRfc3339Nano() });
}

/** Takes what the keeper still holds into the log. */
async function drainPipes(parts: Parts, container: Container): Promise<void> {
  const paths = await readIoRecord(parts, container.id);
  if (paths === undefined || !existsSync(paths.stdout)) return;
  const io = await parts.io.reopen(paths);
  try {
    const { hub } = openHub(parts, container, { pipes: io, process: { closeStdin: async () => {} } });
    await hub.finish();
  } finally {
    io.release();
  }
}

/** Takes over a process, running or ended; one that was created and never started is taken back. */
async function withTask(parts: Parts, tracked: Tracked, { task, state }: Found, pipes: Set<string>): Promise<Next> {
  const { container } = tracked;
  const paths = await readIoRecord(parts, container.id);
  if (state.status === 'created' || paths === undefined) {
    await discardTask(parts, container.id, task);
    return unseen(parts, tracked, undefined);
  }
  using undo = new DisposableStack();
  const io = await parts.io.reopen(paths);
  undo.defer(() => io.release());
  for (const path of Object.values(paths)) pipes.add(path);
  const { hub, log } = openHub(parts, container, { pipes: io, process: task });
  seenRunning(parts, container, task, state);
  findOom(parts, tracked);
  const ranMs = Math.max(0, Date.now() - Date.parse(container.state.startedAt));
  const startedTick = performance.now() - ranMs;
  const live: Live = { task, pipes: io, hub, log, startedTick, settled: Promise.withResolvers() };
  useNetwork(container, parts.networks.sandbox(container.id));
  tracked.live = live;
  undo.move();
  if (state.status === 'stopped') return () => settle(parts, tracked, state.exit);
  followProcess(parts, tracked, live);
  if (container.state.status === 'running') parts.health.resume(tracked);
  const { status, pausedForCommit } = container.state;
  return status === 'paused' && pausedForCommit ? () => thaw(parts, tracked) : undefined;
}

/** Lets a container go on that was frozen for a commit. The freezing may not be over yet, and no engine fails to start over it. */
async function thaw(parts: Parts, tracked: Tracked): Promise<void> {
  let failure: unknown;
  for (let attempt = 0; attempt < THAW_ATTEMPTS && tracked.container.state.status === 'paused'; attempt++) {
    try {
      await unpauseContainer(parts, tracked);
      return;
    } catch (error) {
      failure = error;
      await sleep(100);
    }
  }
  parts.log.warn('a container that was frozen for a commit stays so', {
    container: tracked.container.id,
    error: failure,
  });
}

/** The row may be older than the process: the daemon may have died between starting it and writing that down. */
function seenRunning(parts: Parts, container: Container, task: Task, state: TaskState): void {
  const known = container.state.status === 'running' || container.state.status === 'paused';
  container.state = {
    ...container.state,
    status: state.status === 'paused' || state.status === 'pausing' ? 'paused' : 'running',
    pid: state.pid,
    shim: task.shim,
    ...(known ? {} : { startedAt: nowRfc3339Nano(), exitCode: 0, error: '' }),
  };
  saveState(parts, container);
}

/** Ends a task and takes away what it used, all of it that can be. Gives how its process ended, if the shim knows. */
export async function discardTask(parts: Parts, id: string, task: Task): Promise<Exit | undefined> {
  const failed = failing(parts, id);
  await task.killAll(9).catch(() => {});
  await endsWithin(task.wait(), KILLED_MS).catch(() => {});
  const exit = await task.delete().catch(failed('a left-over task stays'));
  await parts.reap(id).catch(failed('what a lost shim held could not be taken apart'));
  await removeBundle(join(parts.paths.bundles, id)).catch(failed('a bundle stays until the next start'));
  await parts.networks.leave(id).catch(failed('a network namespace stays until the next start'));
  return exit ?? undefined;
}

const failing = (parts: Parts, id: string) => (what: string) => (error: unknown) => {
  parts.log.warn(what, { container: id, error });
  return undefined;
};
