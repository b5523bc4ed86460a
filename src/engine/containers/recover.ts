import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeBundle } from '../../kernel/bundle.ts';
import { killFamily } from '../../kernel/kill-family.ts';
import type { Exit, Task, TaskState } from '../../kernel/shim/shim-pool.ts';
import { ifExists } from '../../util/files.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { ExecTable } from '../execs/execs.ts';
import { adoptExec } from '../execs/start-exec.ts';
import { autoRemove } from './auto-remove.ts';
import type { Container } from './model.ts';
import { findOom } from './oom.ts';
import { openHub } from './open-hub.ts';
import type { Parts } from './parts.ts';
import { unpauseContainer } from './pause.ts';
import { resumeRestarts } from './restart-by-policy.ts';
import { readExecRecords, readExitRecord, readIoRecord, removeExecRecord } from './run-records.ts';
import { saveState } from './save-state.ts';
import { followProcess, settle, UNSEEN_EXIT } from './settle.ts';
import { fromRow } from './stored.ts';
import { type Live, type Tracked, track } from './tracked.ts';
import { useNetwork } from './use-network.ts';
import { recoverVolumes } from './volume-mounts.ts';

const THAW_ATTEMPTS = 20;

/**
 * Makes memory agree with what is: called once at start, when the last daemon may have been killed at any point.
 *
 * Rows are taken in, their processes looked for in the shims, what ended meanwhile is settled like any other end, and
 * everything on disk or in the kernel that belongs to no container is removed.
 */
export async function recoverContainers(parts: Parts, execs: ExecTable): Promise<void> {
  for (const row of parts.rows.all()) {
    const tracked = track(fromRow(row, parts.paths));
    parts.registry.reserve(row.name, row.id);
    parts.registry.add(tracked);
  }
  const found = await findTasks(parts);
  await parts.networks.recover(new Set([...found.entries()].filter(([, it]) => it.tracked).map(([id]) => id)));
  const pipes = new Set<string>();
  const due: (() => Promise<void>)[] = [];
  for (const tracked of parts.registry.all()) {
    const task = found.get(tracked.container.id);
    const next = task === undefined ? await withoutTask(parts, tracked) : await withTask(parts, tracked, task, pipes);
    if (next !== undefined) due.push(next);
  }
  await discardStrangers(parts, found);
  await recoverExecs(parts, execs, pipes);
  await sweepDirectories(parts);
  for (const step of due) await step();
  await recoverVolumes(parts);
  await parts.io.sweep(pipes);
  await removeDue(parts);
  resumeRestarts(parts);
}

/** An auto-removed container that does not run has nobody left who would start or remove it. */
async function removeDue(parts: Parts): Promise<void> {
  for (const tracked of parts.registry.all()) {
    await tolerated(parts, tracked.container.id, () => autoRemove(parts, tracked));
  }
}

interface Found {
  readonly task: Task;
  readonly state: TaskState;
  readonly tracked: Tracked | undefined;
}

/** Every task the shims hold, among those that can be ours: each has a bundle. */
async function findTasks(parts: Parts): Promise<Map<string, Found>> {
  const ids = (await ifExists(() => readdir(parts.paths.bundles))) ?? [];
  const found = new Map<string, Found>();
  for (const id of ids) {
    const tracked = parts.registry.byId(id);
    const task = await parts.shims.adopt(id, tracked?.container.state.shim ?? '');
    if (task !== undefined) found.set(id, { task, state: await task.state(), tracked });
  }
  return found;
}

/**
 * A container whose process nobody holds: if it ran when last seen, it ended while an earlier daemon was settling it,
 * ended without a witness, or goes on without one. Its last words may still be in its pipes.
 */
async function withoutTask(parts: Parts, tracked: Tracked): Promise<(() => Promise<void>) | undefined> {
  const { container } = tracked;
  if (!existsSync(join(parts.paths.bundles, container.id))) return unseen(parts, tracked, undefined);
  await parts.reap(container.id);
  const exit = await readExitRecord(parts, container.id);
  const end = unseen(parts, tracked, exit);
  if (end !== undefined) await drainPipes(parts, container);
  return end;
}

function unseen(parts: Parts, tracked: Tracked, exit: Exit | undefined): (() => Promise<void>) | undefined {
  const { status } = tracked.container.state;
  if (status !== 'running' && status !== 'paused') return undefined;
  return () => settle(parts, tracked, exit ?? { status: UNSEEN_EXIT, at: nowRfc3339Nano() });
}

/** Takes what the keeper still holds into the log. */
async function drainPipes(parts: Parts, container: Container): Promise<void> {
  const paths = await readIoRecord(parts, container.id);
  if (paths === undefined || !existsSync(paths.stdout)) return;
  const io = parts.io.reopen(paths);
  const { hub } = openHub(parts, container, { pipes: io, process: { closeStdin: async () => {} } });
  await hub.finish();
  io.release();
}

/** Takes over a process, running or ended; one that was created and never started is taken back. */
async function withTask(
  parts: Parts,
  tracked: Tracked,
  { task, state }: Found,
  pipes: Set<string>,
): Promise<(() => Promise<void>) | undefined> {
  const { container } = tracked;
  const paths = await readIoRecord(parts, container.id);
  if (state.status === 'created' || paths === undefined) {
    await discardTask(parts, container.id, task);
    return unseen(parts, tracked, undefined);
  }
  for (const path of Object.values(paths)) pipes.add(path);
  const io = parts.io.reopen(paths);
  const { hub, log } = openHub(parts, container, { pipes: io, process: task });
  seenRunning(parts, container, task, state);
  findOom(parts, tracked);
  const ranMs = Math.max(0, Date.now() - Date.parse(container.state.startedAt));
  const startedTick = performance.now() - ranMs;
  const live: Live = { task, pipes: io, hub, log, startedTick, settled: Promise.withResolvers() };
  tracked.live = live;
  useNetwork(container, parts.networks.sandbox(container.id));
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

async function recoverExecs(parts: Parts, execs: ExecTable, pipes: Set<string>): Promise<void> {
  for (const record of await readExecRecords(parts)) {
    const tracked = parts.registry.byId(record.containerId);
    const exec = tracked?.live && (await adoptExec(parts, tracked, tracked.live.task, record));
    if (exec === undefined) {
      removeExecRecord(parts, record.id);
      continue;
    }
    for (const path of Object.values(record.paths)) pipes.add(path);
    // Nobody is left who would hear its verdict.
    if (record.probe === true) killFamily(exec.pid);
    else execs.adopt(exec);
  }
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

async function discardTask(parts: Parts, id: string, task: Task): Promise<void> {
  await task.killAll(9).catch(() => {});
  await task.delete().catch((error: unknown) => parts.log.warn('a left-over task stays', { container: id, error }));
  await parts.reap(id);
  await removeBundle(join(parts.paths.bundles, id));
  await parts.networks.leave(id);
}

/** Tasks without a container: the daemon died after the row was removed, or before it was written. */
async function discardStrangers(parts: Parts, found: ReadonlyMap<string, Found>): Promise<void> {
  for (const [id, { task, tracked }] of found) {
    if (tracked === undefined) await tolerated(parts, id, () => discardTask(parts, id, task));
  }
}

/**
 * Removes the directories of containers that have no row, and the bundles of those that have no process. A bundle is
 * all there is of a container whose runtime was killed in the middle of making it, after its row was gone.
 */
async function sweepDirectories(parts: Parts): Promise<void> {
  for (const id of (await ifExists(() => readdir(parts.paths.bundles))) ?? []) {
    const tracked = parts.registry.byId(id);
    await tolerated(parts, id, async () => {
      if (tracked === undefined) await parts.reap(id);
      if (tracked?.live === undefined) await removeBundle(join(parts.paths.bundles, id));
    });
  }
  for (const id of (await ifExists(() => readdir(parts.paths.containers))) ?? []) {
    if (parts.registry.byId(id) !== undefined) continue;
    await tolerated(parts, id, () => rm(join(parts.paths.containers, id), { recursive: true, force: true }));
  }
}

/** What cannot be tidied up of one container keeps no engine from starting, now and at every start. */
async function tolerated(parts: Parts, id: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    parts.log.error('what is left of a container stays until the next start', { container: id, error });
  }
}
