import { type Log, silentLog } from '../../util/log.ts';
import type { OutputName } from '../engine.ts';
import type { LogSink } from './drivers/driver.ts';
import { jsonFormat } from './json-format.ts';
import type { LastMessages } from './last-messages.ts';
import { LineBuffer } from './line-cut.ts';
import { localFormat } from './local-format.ts';
import { LogClock } from './log-clock.ts';
import { keptFiles, type LogConfig } from './log-config.ts';
import { LogFile } from './log-file.ts';
import type { LogFormat } from './log-format.ts';
import { logLimits } from './log-limits.ts';
import { AT_EXIT } from './outbox.ts';
import { RemoteLog } from './remote-log.ts';
import { type Unfinished, UnfinishedFile } from './unfinished-lines.ts';
import { wholeLines } from './whole-lines.ts';

/** How many bytes of a file one byte of output may become: a record of an empty line. */
const LARGEST_GROWTH = 128;

/** Writes the output of one process to its log. Nothing here throws because of the disk: output that cannot be kept is dropped. */
export interface LogWriter {
  /** Written to the file before it returns, but for a line that has not ended: that is kept aside, safe from a kill too. */
  write(stream: OutputName, chunk: Buffer): void;
  /** The process has ended: records unfinished lines and closes. */
  end(): void;
  /** Closes and leaves unfinished lines to the next daemon. Resolves when what is on its way to a receiver has left, or had its time. */
  close(): Promise<void>;
  /** Resolves when a receiver that lags has caught up; undefined when there is nothing to wait for. */
  room(): Promise<void> | undefined;
  /** What readers follow; undefined when nothing is kept. */
  readonly file: LogFile | undefined;
  /** What has been read of lines that have not ended. */
  unfinished(): Unfinished;
}

/** The layout of a driver's file; undefined for a driver that keeps nothing. */
export function formatOf(driver: string, attrs: Readonly<Record<string, string>> = {}): LogFormat | undefined {
  if (driver === 'none') return undefined;
  return driver === 'local' ? localFormat() : jsonFormat(attrs);
}

/**
 * Opens a container's log for a process that starts, or for one that lived through a restart of the daemon.
 *
 * @param options.config complete and checked by `validateLogConfig`.
 * @param options.attrs from `recordAttributes`.
 * @param options.sink where messages go beside the files; the writer closes it.
 * @param options.lastMessages told of what still leaves when the process has ended.
 * @param options.log told once when the disk is full, or messages do not reach their receiver.
 */
export function openLogWriter(options: {
  config: LogConfig;
  path: string;
  attrs: Readonly<Record<string, string>>;
  sink?: LogSink | undefined;
  lastMessages?: LastMessages;
  log?: Log;
}): LogWriter {
  const { config, path, attrs, sink, lastMessages, log } = options;
  const remote =
    sink === undefined ? undefined : new RemoteLog({ sink, config, lastMessages, log: log ?? silentLog() });
  const kept = keptFiles(config);
  const format = formatOf(kept.Type, attrs);
  if (format === undefined) return remote === undefined ? silentWriter() : sendingWriter(remote);
  const limits = logLimits(kept);
  return new FileWriter(new LogFile(path, limits, format, log), format, limits.maxSize, remote);
}

const NOTHING = Buffer.alloc(0);

function silentWriter(): LogWriter {
  return {
    write: () => {},
    end: () => {},
    close: async () => {},
    room: () => undefined,
    file: undefined,
    unfinished: () => ({ stdout: NOTHING, stderr: NOTHING }),
  };
}

/** Sends messages away and keeps nothing, not even a line's start for the next daemon. */
function sendingWriter(remote: RemoteLog): LogWriter {
  const clock = new LogClock();
  const lines = { stdout: new LineBuffer(), stderr: new LineBuffer() };
  const record = (stream: OutputName, bytes: Buffer) => {
    clock.tick();
    remote.record(stream, bytes, clock);
  };
  return {
    ...silentWriter(),
    write: (stream, chunk) => record(stream, lines[stream].push(chunk)),
    end: () => {
      record('stdout', lines.stdout.flush());
      record('stderr', lines.stderr.flush());
      remote.end();
    },
    close: () => remote.outbox.end(AT_EXIT),
    room: () => remote.outbox.room(),
  };
}

class FileWriter implements LogWriter {
  readonly file: LogFile;
  readonly #format: LogFormat;
  readonly #clock = new LogClock();
  readonly #lines = { stdout: new LineBuffer(), stderr: new LineBuffer() };
  readonly #aside: UnfinishedFile;
  /** Bytes of output that one append may take, so that it fits a file even when the file is to be small. */
  readonly #batch: number;
  readonly #remote: RemoteLog | undefined;

  constructor(file: LogFile, format: LogFormat, maxSize: number, remote: RemoteLog | undefined) {
    this.#remote = remote;
    this.file = file;
    this.#batch = Math.max(1, Math.floor(maxSize / LARGEST_GROWTH));
    this.#format = format;
    this.#aside = new UnfinishedFile(file.path);
    const before = this.#aside.read(file.mark);
    if (before === undefined) return;
    this.#lines.stdout.rest = before.stdout;
    this.#lines.stderr.rest = before.stderr;
  }

  write(stream: OutputName, chunk: Buffer): void {
    if (this.file.closed) return;
    this.#record(stream, this.#lines[stream].push(chunk));
    const unfinished = this.unfinished();
    if (unfinished.stdout.length + unfinished.stderr.length === 0) return;
    try {
      this.#aside.write(this.file.mark, unfinished);
    } catch {
      // The disk is full: the log itself says so when the line ends.
    }
  }

  end(): void {
    if (this.file.closed) return;
    this.#record('stdout', this.#lines.stdout.flush());
    this.#record('stderr', this.#lines.stderr.flush());
    this.#aside.remove();
    this.file.close();
    this.#remote?.end();
  }

  async close(): Promise<void> {
    this.#aside.close();
    this.file.close();
    await this.#remote?.outbox.end(AT_EXIT);
  }

  room(): Promise<void> | undefined {
    return this.#remote?.outbox.room();
  }

  unfinished(): Unfinished {
    return { stdout: this.#lines.stdout.rest, stderr: this.#lines.stderr.rest };
  }

  #record(stream: OutputName, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#clock.tick();
    for (const part of wholeLines(bytes, this.#batch)) {
      const { buffer, length } = this.#format.encode(stream, part, this.#clock);
      this.file.append(buffer, length);
    }
    this.#remote?.record(stream, bytes, this.#clock);
  }
}
