import { endsWithin } from '../../util/ends-within.ts';
import { conflict, internal, invalid, messageOf, notFound } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { emitContainer } from '../containers/container-events.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import { isRunning, refuseRestarting } from '../containers/wait.ts';
import type { AttachIo, Attachment, Execs } from '../engine.ts';
import { parseDetachKeys } from '../stdio/detach-keys.ts';
import { type Exec, newExec } from './exec.ts';
import { commandOf, startExec } from './start-exec.ts';

/** How long an exec that has ended can still be asked for its exit code. */
const KEPT_MS = 5 * 60_000;
/** How long a new size waits for its exec to be started; as in dockerd. */
const BEGIN_MS = 10_000;

/** Execs of all containers; `adopt` takes over one that an earlier daemon started. */
export interface ExecTable extends Execs {
  adopt(exec: Exec): void;
}

/** Opens the table of execs. */
export function openExecs(parts: Parts): ExecTable {
  const execs = new Map<string, Exec>();
  const find = (id: string): Exec => {
    const exec = execs.get(id);
    if (exec === undefined || isStale(parts, exec)) throw notFound(`No such exec instance: ${id}`);
    return exec;
  };
  return {
    adopt: (exec) => void execs.set(exec.id, exec),
    get: find,
    create: async (ref, request) => {
      const tracked = runningContainer(parts, ref);
      if ((request.Cmd ?? []).length === 0) throw invalid('No exec command specified');
      parseDetachKeys(request.DetachKeys);
      forgetOld(execs);
      const exec = newExec(randomId(), tracked.container.id, request);
      execs.set(exec.id, exec);
      tracked.container.execIds = [...tracked.container.execIds, exec.id];
      emitContainer(parts.events, tracked.container, `exec_create: ${commandOf(exec)}`, { execID: exec.id });
      return exec.id;
    },
    startDetached: async (id) => {
      const exec = find(id);
      const tracked = runningContainer(parts, exec.containerId);
      checkFresh(exec);
      await startExec(parts, tracked, exec, undefined);
    },
    startAttached: (id, { tty, consoleSize }): Attachment => {
      const exec = find(id);
      const tracked = runningContainer(parts, exec.containerId);
      return {
        tty,
        connect: async (io) => {
          if (isUsed(exec)) return tellRefusal(exec, io);
          await startExec(parts, tracked, exec, { ...io, consoleSize });
        },
      };
    },
    resize: async (id, { height, width }) => {
      const exec = find(id);
      runningContainer(parts, exec.containerId);
      // Who starts it and tells its size at once may be faster with the second.
      if (!(await endsWithin(exec.begun.promise, BEGIN_MS))) throw internal('timeout waiting for exec session ready');
      if (exec.process === undefined) throw notFound('no such exec');
      await exec.process.resize({ width, height });
    },
  };
}

function isUsed({ running, exitCode }: Exec): boolean {
  return running || exitCode !== undefined;
}

/** Its container is gone, or has ended before it was started. */
function isStale({ registry }: Parts, exec: Exec): boolean {
  const container = registry.byId(exec.containerId)?.container;
  if (container === undefined) return true;
  return !isUsed(exec) && !container.execIds.includes(exec.id);
}

function checkFresh(exec: Exec): void {
  if (isUsed(exec))
    throw conflict(`Error: Exec command ${exec.id} ${exec.running ? 'is already running' : 'has already run'}`);
}

/** The connection has been switched when an exec is found to be used: Docker says so in the stream. */
function tellRefusal(exec: Exec, { sink }: AttachIo): void {
  try {
    checkFresh(exec);
  } catch (error) {
    if (sink === undefined) throw error;
    sink.write('stdout', Buffer.from(`${messageOf(error)}\r\n`));
  }
}

function runningContainer(parts: Parts, ref: string): Tracked {
  const tracked = parts.registry.find(ref);
  const { id, state } = tracked.container;
  if (!isRunning(tracked)) throw conflict(`Container ${id} is not running`);
  refuseRestarting(tracked);
  if (state.status === 'paused') throw conflict(`Container ${id} is paused, unpause the container before exec`);
  return tracked;
}

function forgetOld(execs: Map<string, Exec>): void {
  const horizon = performance.now() - KEPT_MS;
  for (const [id, exec] of execs) {
    if (exec.endedTick > 0 && exec.endedTick < horizon) execs.delete(id);
  }
}
