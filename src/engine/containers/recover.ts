import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeBundle } from '../../kernel/bundle.ts';
import { killFamily } from '../../kernel/kill-family.ts';
import { ifExists } from '../../util/files.ts';
import { removeTree } from '../../util/remove-tree.ts';
import type { Exec, ExecRecord } from '../execs/exec.ts';
import type { ExecTable } from '../execs/execs.ts';
import { adoptExec } from '../execs/start-exec.ts';
import { autoRemove } from './auto-remove.ts';
import type { Parts } from './parts.ts';
import { readExecRecords, readIoRecord, removeExecRecord } from './run-records.ts';
import { fromRow } from './stored.ts';
import { discardTask, type Found, takeOver } from './take-over.ts';
import { track } from './tracked.ts';
import { recoverVolumes } from './volume-mounts.ts';

/**
 * Makes memory agree with what is: called once at start, when the last daemon may have been killed at any point.
 *
 * Rows are taken in, their processes looked for in the shims, what ended meanwhile is settled like any other end, and
 * everything on disk or in the kernel that belongs to no container is removed. No container, task or exec that is in a bad
 * way keeps the others from being taken over. Policies start what they are to start later, by `resumeRestarts`.
 */
export async function recoverContainers(parts: Parts, execs: ExecTable): Promise<void> {
  takeInRows(parts);
  const unread = parts.registry.unread();
  const isOurs = (id: string): boolean => unread.has(id) || parts.registry.byId(id) !== undefined;
  const found = await findTasks(parts);
  await parts.networks.recover(new Set([...found.keys()].filter(isOurs)));
  const pipes = new Set<string>();
  for (const id of unread) await tolerated(parts, id, () => keepPipes(parts, id, pipes));
  const due: (() => Promise<void>)[] = [];
  for (const tracked of parts.registry.all()) {
    const { id } = tracked.container;
    const next = await takeOver(parts, tracked, found.get(id), pipes);
    if (next !== undefined) due.push(() => tolerated(parts, id, next));
  }
  // The daemon died after the row was removed, or before it was written.
  for (const [id, { task }] of found) if (!isOurs(id)) await discardTask(parts, id, task);
  await recoverExecs(parts, execs, { pipes, unread });
  await sweepDirectories(parts, unread);
  for (const step of due) await step();
  await recoverVolumes(parts);
  await parts.io.sweep(pipes);
  await removeDue(parts);
}

/**
 * Sets rows aside that cannot be read, by this version at least. What they stand for is left alone, running or not, as are the
 * volumes and images that they name, and their names stay taken.
 */
function takeInRows({ rows, registry, paths, log }: Parts): void {
  for (const row of rows.all()) {
    try {
      registry.reserve(row.name, row.id);
      registry.add(track(fromRow(row, paths)));
    } catch (error) {
      registry.setAside(row);
      log.error('a container cannot be read and is left alone', { container: row.id, name: row.name, error });
    }
  }
}

async function keepPipes(parts: Parts, id: string, pipes: Set<string>): Promise<void> {
  for (const path of Object.values((await readIoRecord(parts, id)) ?? {})) pipes.add(path);
}

/** An auto-removed container that does not run has nobody left who would start or remove it. */
async function removeDue(parts: Parts): Promise<void> {
  for (const tracked of parts.registry.all()) {
    await tolerated(parts, tracked.container.id, () => autoRemove(parts, tracked));
  }
}

/**
 * Every task the shims hold, among those that can be ours: each has a bundle. One of which its shim cannot say how it is has
 * none for us, and what is left of it is ended.
 */
async function findTasks(parts: Parts): Promise<Map<string, Found>> {
  const ids = (await ifExists(() => readdir(parts.paths.bundles))) ?? [];
  const found = new Map<string, Found>();
  for (const id of ids) {
    try {
      const task = await parts.shims.adopt(id, parts.registry.byId(id)?.container.state.shim ?? '');
      if (task !== undefined) found.set(id, { task, state: await task.state() });
    } catch (error) {
      parts.log.error('a shim does not say how a container is', { container: id, error });
    }
  }
  return found;
}

async function recoverExecs(
  parts: Parts,
  execs: ExecTable,
  { pipes, unread }: { pipes: Set<string>; unread: ReadonlySet<string> },
): Promise<void> {
  for (const record of await readExecRecords(parts)) {
    if (unread.has(record.containerId)) {
      for (const path of Object.values(record.paths)) pipes.add(path);
      continue;
    }
    const exec = await recoverExec(parts, record).catch((error: unknown) => {
      parts.log.error('an exec could not be taken over', { container: record.containerId, exec: record.id, error });
      return undefined;
    });
    if (exec === undefined) {
      removeExecRecord(parts, record.id);
      continue;
    }
    for (const path of Object.values(record.paths)) pipes.add(path);
    // Nobody is left who would hear its verdict.
    if (record.probe === true) await killFamily(exec.pid);
    else execs.adopt(exec);
  }
}

async function recoverExec(parts: Parts, record: ExecRecord): Promise<Exec | undefined> {
  const tracked = parts.registry.byId(record.containerId);
  return tracked?.live && adoptExec(parts, tracked, tracked.live.task, record);
}

/**
 * Removes the directories of containers that have no row, and the bundles of those that have no process. A bundle is
 * all there is of a container whose runtime was killed in the middle of making it, after its row was gone.
 */
async function sweepDirectories(parts: Parts, unread: ReadonlySet<string>): Promise<void> {
  for (const id of (await ifExists(() => readdir(parts.paths.bundles))) ?? []) {
    if (unread.has(id)) continue;
    const tracked = parts.registry.byId(id);
    await tolerated(parts, id, async () => {
      if (tracked === undefined) await parts.reap(id);
      if (tracked?.live === undefined) await removeBundle(join(parts.paths.bundles, id));
    });
  }
  for (const id of (await ifExists(() => readdir(parts.paths.containers))) ?? []) {
    if (unread.has(id) || parts.registry.byId(id) !== undefined) continue;
    await tolerated(parts, id, () => removeTree(join(parts.paths.containers, id)));
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
