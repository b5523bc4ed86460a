import type { Process, Task } from '../../kernel/shim/shim-pool.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import type { ExecBody } from '../../spec/container.ts';
import { conflict, kindOf, messageOf } from '../../util/errors.ts';
import { emitContainer } from '../containers/container-events.ts';
import { containerUser } from '../containers/container-user.ts';
import type { Parts } from '../containers/parts.ts';
import { removeExecRecord, writeExecRecord } from '../containers/run-records.ts';
import { startFailure } from '../containers/start-error.ts';
import type { Tracked } from '../containers/tracked.ts';
import type { AttachIo } from '../engine.ts';
import { execProcess } from '../runtime-spec/runtime-spec.ts';
import { StdioHub } from '../stdio/hub.ts';
import { type Exec, type ExecRecord, newExec } from './exec.ts';

/** The exec's command as events show it: as in dockerd with a blank after the program, be there arguments or not. */
export function commandOf({ request }: Exec): string {
  const [program = '', ...args] = request.Cmd ?? [];
  return `${program} ${args.join(' ')}`;
}

type ExecClient = AttachIo & { consoleSize: [number, number] | undefined };

/**
 * Starts an exec's process. With a client, resolves when its attachment is over; a start that fails is then told to the
 * client in the stream, because its connection has been switched already.
 */
export async function startExec(
  parts: Parts,
  tracked: Tracked,
  exec: Exec,
  client: ExecClient | undefined,
): Promise<void> {
  const { attached } = await beginExec(parts, tracked, exec, client).catch((error: unknown) => {
    if (client?.sink === undefined) throw error;
    client.sink.write('stdout', Buffer.from(`${messageOf(error)}\r\n`));
    return { attached: undefined };
  });
  await attached;
}

/** Starts an exec's process; `attached` is over when its client's attachment is. @throws what keeps it from starting. */
export async function beginExec(
  parts: Parts,
  tracked: Tracked,
  exec: Exec,
  client: ExecClient | undefined,
  note: Pick<ExecRecord, 'probe'> = {},
): Promise<{ attached: Promise<void> | undefined }> {
  exec.running = true;
  const launched = parts.moves.during(() => launch(parts, tracked, exec, { client, note }));
  return launched.catch((error: unknown) => {
    const failure = startFailure(error);
    ended(tracked, exec, failure.exitCode === 128 ? 126 : failure.exitCode);
    throw failure.error;
  });
}

interface Launch {
  client: ExecClient | undefined;
  note: Pick<ExecRecord, 'probe'>;
}

/** Gives the attachment inside an object, so that waiting for the start does not wait for its end. */
async function launch(parts: Parts, tracked: Tracked, exec: Exec, { client, note }: Launch) {
  const { container, live } = tracked;
  const { request } = exec;
  if (live === undefined) throw conflict(`Container ${container.id} is not running`);
  emitContainer(parts.events, container, `exec_start: ${commandOf(exec)}`, { execID: exec.id });
  await using undo = new AsyncDisposableStack();
  const user = await containerUser(container, request.User);
  const pipes = await parts.io.take({ stdin: request.AttachStdin && client !== undefined, stderr: !request.Tty });
  undo.defer(() => pipes.release());
  const body = { ...request, ConsoleSize: client?.consoleSize ?? request.ConsoleSize };
  const spec = execProcess({ container, body, host: parts.host, user, defaults: parts.defaults.spec });
  const { id, containerId } = exec;
  // Noted before it runs: a kill of the daemon must not leave a process that nobody knows of.
  writeExecRecord(parts, { id, containerId, request, paths: pipes.paths, ...note });
  undo.defer(() => removeExecRecord(parts, id));
  const registered = live.task.exec(id, { ...pipes.paths, terminal: request.Tty, process: spec });
  const process = await registered;
  undo.defer(async () => void (await process.delete().catch(() => {})));
  // A shim forgets a request to close the input of a process that has not started.
  const closeStdin = () => exec.begun.promise.then(() => process.closeStdin());
  const hub = new StdioHub({ pipes, log: undefined, stdinOnce: true, closeStdin });
  const attached = client === undefined ? undefined : attachClient(hub, client, request);
  const detached = attached?.then((end) => {
    if (end === 'detached') emitContainer(parts.events, container, 'exec_detach', { execID: exec.id });
  });
  // Known at once: a client that sees the first output may ask for another size before our start has been answered.
  exec.process = process;
  exec.pid = await process.start();
  exec.begun.resolve();
  undo.move();
  followExec(parts, tracked, exec, { process, pipes, hub });
  return { attached: detached };
}

function attachClient(hub: StdioHub, client: AttachIo, { DetachKeys, AttachStdout, AttachStderr }: ExecBody) {
  return hub.attach({ ...client, detachKeys: DetachKeys, stdout: AttachStdout, stderr: AttachStderr });
}

interface Running {
  process: Process;
  pipes: IoPipes;
  hub: StdioHub;
}

/** Waits for an exec in the background and writes down how it ended. */
export function followExec(parts: Parts, tracked: Tracked, exec: Exec, running: Running): void {
  const { process, pipes, hub } = running;
  const end = async (): Promise<void> => {
    // A shim that is gone takes its processes' exit codes along.
    const exit = await process.wait().catch(() => ({ status: 137 }));
    if (parts.leaving.aborted) return;
    hub.exited();
    await process.delete().catch(() => {});
    // Before the streams end: a client asks for the exit code as soon as they do.
    ended(tracked, exec, exit.status);
    await hub.finish();
    pipes.release();
    removeExecRecord(parts, exec.id);
    emitContainer(parts.events, tracked.container, 'exec_die', { execID: exec.id, exitCode: String(exit.status) });
  };
  end().catch((error: unknown) => parts.log.error('could not settle an exec', { exec: exec.id, error }));
}

function ended({ container }: Tracked, exec: Exec, exitCode: number): void {
  exec.running = false;
  exec.exitCode = exitCode;
  exec.process = undefined;
  exec.begun.resolve();
  exec.endedTick = performance.now();
  container.execIds = container.execIds.filter((id) => id !== exec.id);
}

/**
 * Follows an exec that an earlier daemon started in a task that was adopted. Undefined when there is none, or when it was
 * registered and never started.
 */
export async function adoptExec(
  parts: Parts,
  tracked: Tracked,
  task: Task,
  record: ExecRecord,
): Promise<Exec | undefined> {
  const process = task.adoptExec(record.id);
  const state = await process.state().catch(ifUnknown);
  if (state === undefined || state.status === 'created') {
    await process.delete().catch(() => {});
    return undefined;
  }
  const pipes = await parts.io.reopen(record.paths);
  const hub = new StdioHub({ pipes, log: undefined, stdinOnce: true, closeStdin: () => process.closeStdin() });
  const { id, containerId, request } = record;
  const exec: Exec = Object.assign(newExec(id, containerId, request), { pid: state.pid, running: true, process });
  exec.begun.resolve();
  tracked.container.execIds = [...tracked.container.execIds, id];
  followExec(parts, tracked, exec, { process, pipes, hub });
  return exec;
}

function ifUnknown(error: unknown): undefined {
  if (kindOf(error) !== 'not-found') throw error;
}
