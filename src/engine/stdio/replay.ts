import { LogCursor } from '../logs/log-cursor.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import type { Client } from './client.ts';

/**
 * Sends a client what the log holds, up to the very byte at which its live output begins. Nothing is buffered for that: it reads the
 * log until it has caught up with the writer, and goes live in the same tick. Only the last stretch, what came during the
 * replay, is read with the pipes held.
 */
export async function replayLog(options: {
  log: LogWriter | undefined;
  client: Client;
  /** Stops the output of the process until `goLive`. */
  hold: () => void;
  goLive: () => void;
}): Promise<void> {
  const { log, client, hold, goLive } = options;
  const file = log?.file;
  if (log === undefined || file === undefined) return goLive();
  const atStart = { generation: file.generation, cuts: file.cuts, size: file.size };
  using cursor = await LogCursor.open({ path: file.path, format: file.format, writer: file, tail: undefined });
  while (!client.over) {
    if (cursor.hasReached(atStart)) hold();
    const batch = await cursor.next();
    for (const { stream, data } of batch ?? []) {
      if (client.over) return;
      if (!client.write(stream, data)) await client.drained();
    }
    if (batch === undefined && cursor.caughtUp) break;
  }
  if (client.over) return;
  const { stdout, stderr } = log.unfinished();
  client.write('stdout', stdout);
  client.write('stderr', stderr);
  goLive();
}
