import type { Log } from '../../util/log.ts';
import type { OutputName } from '../engine.ts';
import { jsonFormat } from './json-format.ts';
import { LineBuffer } from './line-cut.ts';
import { localFormat } from './local-format.ts';
import { LogClock } from './log-clock.ts';
import { type LogConfig, logLimits } from './log-config.ts';
import { LogFile } from './log-file.ts';
import type { LogFormat } from './log-format.ts';
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
  /** Closes and leaves unfinished lines to the next daemon. */
  close(): void;
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
 * @param options.attrs from `logAttributes`.
 * @param options.log told once when the disk is full.
 */
export function openLogWriter(options: {
  config: LogConfig;
  path: string;
  attrs: Readonly<Record<string, string>>;
  log?: Log;
}): LogWriter {
  const { config, path, attrs, log } = options;
  const format = formatOf(config.Type, attrs);
  if (format === undefined) return silentWriter();
  const limits = logLimits(config);
  return new FileWriter(new LogFile(path, limits, format, log), format, limits.maxSize);
}

function silentWriter(): LogWriter {
  const nothing = Buffer.alloc(0);
  return {
    write: () => {},
    end: () => {},
    close: () => {},
    file: undefined,
    unfinished: () => ({ stdout: nothing, stderr: nothing }),
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

  constructor(file: LogFile, format: LogFormat, maxSize: number) {
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
  }

  close(): void {
    this.#aside.close();
    this.file.close();
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
  }
}
