import { conflict } from '../../util/errors.ts';
import type { AttachIo, Attachment } from '../engine.ts';
import { readLogs } from '../logs/read-logs.ts';
import { parseDetachKeys } from '../stdio/detach-keys.ts';
import type { AttachEnd, HubAttach } from '../stdio/hub.ts';
import { emitContainer } from './container-events.ts';
import { logSource } from './log-source.ts';
import type { Parts } from './parts.ts';
import type { PendingAttach, Tracked } from './tracked.ts';
import { isRunning, refuseRestarting } from './wait.ts';

export interface AttachOptions {
  /** Replay what was logged so far first. */
  logs: boolean;
  /** Go on with what comes. */
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Empty: Docker's default, ctrl-p ctrl-q. */
  detachKeys: string;
}

/**
 * Prepares to join a client to a container's streams. One that was not started yet is fine: the client joins before the
 * first byte, which is how `docker run` sees everything.
 *
 * @throws `conflict` when it is paused or restarting, `invalid` for malformed detach keys.
 */
export function attachTo(parts: Parts, tracked: Tracked, options: AttachOptions): Attachment {
  const { container } = tracked;
  const { status } = container.state;
  parseDetachKeys(options.detachKeys, 'detach');
  if (status === 'paused') throw conflict(`Container ${container.id} is paused, unpause the container before attach`);
  refuseRestarting(tracked);
  return {
    tty: container.config.Tty,
    connect: async (client) => {
      const io = hubAttach(client, options);
      emitContainer(parts.events, container, 'attach');
      if (!options.stream || !isRunning(tracked)) await replay(tracked, io);
      if (!options.stream) return;
      const end = await (tracked.live?.hub.attach(io) ?? untilStarted(tracked, { ...io, logs: false }));
      if (end === 'detached') emitContainer(parts.events, container, 'detach');
    },
  };
}

function hubAttach({ stdin, sink, signal }: AttachIo, options: AttachOptions): HubAttach {
  const { logs, stdout, stderr, detachKeys } = options;
  return { stdin: options.stdin ? stdin : undefined, sink, signal, stdout, stderr, logs, detachKeys };
}

/** The log of a container that does not run; while it runs, the hub joins log and stream without a gap. */
async function replay(tracked: Tracked, { sink, signal, stdout, stderr, logs }: HubAttach): Promise<void> {
  if (logs !== true || sink === undefined) return;
  const query = { stdout: stdout ?? true, stderr: stderr ?? true, follow: false, signal };
  for await (const entries of readLogs(logSource(tracked), query)) {
    for (const { stream, data } of entries) if (!sink.write(stream, data)) await sink.drained();
  }
}

/** Waits for the start of a container, which joins the client; ends when the client goes first or the container is removed. */
function untilStarted(tracked: Tracked, io: HubAttach): Promise<AttachEnd> {
  const pending: PendingAttach = { io, done: Promise.withResolvers() };
  tracked.pendingAttaches.add(pending);
  const gone = (): void => {
    tracked.pendingAttaches.delete(pending);
    pending.done.resolve('client-gone');
  };
  io.signal.addEventListener('abort', gone, { once: true });
  return pending.done.promise.finally(() => io.signal.removeEventListener('abort', gone));
}
