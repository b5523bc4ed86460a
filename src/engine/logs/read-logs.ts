import { unsupported } from '../../util/errors.ts';
import { formatRfc3339NanoFixed, nowNano } from '../../util/time.ts';
import type { LogEntry, LogQuery } from '../engine.ts';
import { keptFiles, type LogConfig } from './log-config.ts';
import { LogCursor } from './log-cursor.ts';
import { formatOf, type LogWriter } from './log-writer.ts';

/** A container's log, as its readers find it. */
export interface LogSource {
  config: LogConfig;
  path: string;
  /** What every line carries, where the file does not say it; undefined when it does. */
  attrs?: () => Readonly<Record<string, string>> | undefined;
  /** The writer while the container's process lives. */
  writer: LogWriter | undefined;
}

/**
 * Reads a log: batches of entries, oldest first. With `follow` it goes on until the writer has ended and everything was read,
 * woken by the writer. A reader that is slow holds one batch; what is rotated away before it gets there is lost to it.
 *
 * `tail` counts records before anything is filtered, as in Docker.
 *
 * @throws `unsupported` on the first `next` when the driver keeps nothing.
 */
export async function* readLogs(source: LogSource, query: LogQuery): AsyncGenerator<LogEntry[], void, undefined> {
  const format = formatOf(keptFiles(source.config).Type);
  if (format === undefined) throw unsupported('configured logging driver does not support reading');
  const writer = source.writer?.file;
  using cursor = await LogCursor.open({ path: source.path, format, writer, tail: query.tail });
  const keep = entryFilter(query);
  using wakeUp = new WakeUp(query);
  using _listening = writer?.onChange(() => wakeUp.call());
  for (;;) {
    const atEnd = !query.follow || writer === undefined || writer.closed || wakeUp.over;
    const batch = query.signal.aborted ? undefined : await cursor.next();
    if (batch !== undefined) {
      const { entries, past } = keep(batch);
      if (entries.length > 0) yield withAttrs(entries, source.attrs?.());
      if (past) return;
    } else if (atEnd || query.signal.aborted) return;
    else await wakeUp.wait();
  }
}

function withAttrs(entries: LogEntry[], attrs: LogEntry['attrs'] | undefined): LogEntry[] {
  return attrs === undefined ? entries : entries.map((entry) => ({ ...entry, attrs }));
}

/** Joins what can end the wait of a follower: the writer, the reader's signal, and the time of `until`. */
class WakeUp implements Disposable {
  /** The time of `until` has come. */
  over = false;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  #called = false;
  #resolve = () => {};

  constructor({ signal, follow, until }: LogQuery) {
    this.#signal = signal;
    signal.addEventListener('abort', this.call);
    if (!follow || until === undefined) return;
    const milliseconds = Number((until - nowNano()) / 1_000_000n) + 1;
    this.over = milliseconds <= 0;
    // A timer cannot be longer than this: 24 days.
    if (!this.over && milliseconds < 2 ** 31) this.#timer = setTimeout(() => this.#expire(), milliseconds);
  }

  readonly call = (): void => {
    this.#called = true;
    this.#resolve();
  };

  async wait(): Promise<void> {
    if (!this.#called) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      await promise;
    }
    this.#called = false;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.call);
  }

  #expire(): void {
    this.over = true;
    this.call();
  }
}

/** Keeps the entries a query asks for; `past` when one lies after `until`, so that none can follow. */
function entryFilter({ stdout, stderr, since, until }: LogQuery) {
  const from = since === undefined ? '' : formatRfc3339NanoFixed(since);
  const to = until === undefined ? undefined : formatRfc3339NanoFixed(until);
  const all = stdout && stderr && from === '' && to === undefined;
  return (batch: LogEntry[]): { entries: LogEntry[]; past: boolean } => {
    if (all) return { entries: batch, past: false };
    const cut = to === undefined ? -1 : batch.findIndex(({ time }) => time > to);
    const inTime = cut === -1 ? batch : batch.slice(0, cut);
    const entries = inTime.filter(({ stream, time }) => (stream === 'stdout' ? stdout : stderr) && time >= from);
    return { entries, past: cut !== -1 };
  };
}
