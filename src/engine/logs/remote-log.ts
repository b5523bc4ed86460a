import type { Log } from '../../util/log.ts';
import type { OutputName } from '../engine.ts';
import type { LogSink } from './drivers/driver.ts';
import { remoteDriver } from './drivers/drivers.ts';
import type { LastMessages } from './last-messages.ts';
import type { LogClock } from './log-clock.ts';
import type { LogConfig } from './log-config.ts';
import type { LogSubject } from './log-subject.ts';
import { MessageCut } from './message-cut.ts';
import { BLOCKING, Outbox, type OutboxLimits } from './outbox.ts';
import { parseSize } from './parse-size.ts';

const RING = 1_000_000;
/** Docker counts messages only, and a million of them may be 16 GB. */
const ASYNC_BYTES = 64 * 1024 * 1024;

/** Where a container's messages go beside its own files; undefined for a driver that only keeps files. Not connected yet. */
export function openSink({ Type, Config }: LogConfig, subject: LogSubject): LogSink | undefined {
  return remoteDriver(Type)?.open(Config, subject);
}

/** What may wait for a receiver, by the options `mode` and `max-buffer-size` and those of the driver. */
export function outboxLimits({ Type, Config }: LogConfig): OutboxLimits {
  const messages = remoteDriver(Type)?.asyncLimit?.(Config);
  if (messages !== undefined) return { bytes: ASYNC_BYTES, messages, drop: true };
  if (Config['mode'] !== 'non-blocking') return BLOCKING;
  const size = Config['max-buffer-size'];
  const bytes = size === undefined ? RING : parseSize(size, 1024);
  return { bytes, messages: Number.POSITIVE_INFINITY, drop: true };
}

/** Cuts a process's records into messages and puts them into its outbox. */
export class RemoteLog {
  readonly outbox: Outbox;
  readonly #lastMessages: LastMessages | undefined;
  readonly #cuts = { stdout: new MessageCut('stdout'), stderr: new MessageCut('stderr') };

  constructor(options: { sink: LogSink; config: LogConfig; lastMessages: LastMessages | undefined; log: Log }) {
    const { sink, config, lastMessages, log } = options;
    this.outbox = new Outbox(sink, outboxLimits(config), log);
    this.#lastMessages = lastMessages;
  }

  /** The process has ended: what waits leaves in the background. */
  end(): void {
    const leaving = this.outbox.end();
    this.#lastMessages?.add(leaving);
  }

  record(stream: OutputName, bytes: Buffer, clock: LogClock): void {
    for (const message of this.#cuts[stream].messages(bytes, clock.nanos())) this.outbox.push(message);
  }
}
