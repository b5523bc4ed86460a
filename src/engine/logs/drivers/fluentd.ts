import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { extraAttributes } from '../extra-attributes.ts';
import type { LogSubject } from '../log-subject.ts';
import { tagOf } from '../log-tag.ts';
import { LABEL_OPTIONS, type LogDriver, type LogMessage, type LogOptions, type LogSink } from './driver.ts';
import { type FluentdSettings, parseFluentdOptions } from './fluentd-options.ts';
import { eventTime, type Packable, pack } from './msgpack.ts';
import { StreamConnection } from './stream-connection.ts';

const LONGEST_WAIT = 60_000;

function open(options: LogOptions, subject: LogSubject): LogSink {
  const settings = parseFluentdOptions(options);
  const tag = tagOf(options, subject);
  const extra = extraAttributes(options, subject);
  const line = new ForwardLine(settings);
  return {
    connect: async () => (settings.async ? undefined : line.connect()),
    send: ({ stream, line: text, time, partial }: LogMessage) => {
      const record = {
        container_id: subject.id,
        container_name: `/${subject.name}`,
        source: stream,
        log: text,
        ...extra,
        ...(partial === undefined ? {} : partialFields(partial)),
      };
      const at = settings.subSecond ? eventTime(time) : time / 1_000_000_000n;
      return line.send([tag, at, record]);
    },
    close: () => line.close(),
  };
}

function partialFields({ id, ordinal, last }: NonNullable<LogMessage['partial']>) {
  return {
    partial_message: 'true',
    partial_id: id,
    partial_ordinal: String(ordinal),
    partial_last: String(last),
  };
}

/** A connection that speaks Fluentd's forward protocol, in its message mode. */
class ForwardLine {
  readonly #settings: FluentdSettings;
  readonly #connection: StreamConnection;
  readonly #closing = new AbortController();
  #answers = '';
  #heard = () => {};

  constructor(settings: FluentdSettings) {
    this.#settings = settings;
    this.#connection = new StreamConnection(settings.address, {
      data: (chunk) => {
        this.#answers += chunk.toString('latin1');
        this.#heard();
      },
      close: () => this.#heard(),
    });
  }

  connect(): Promise<void> {
    return this.#connection.connect();
  }

  /** Tries until the message is out, and acknowledged where that was asked for; waits longer after each failure. */
  async send(event: readonly Packable[]): Promise<void> {
    const chunk = this.#settings.ack ? randomBytes(16).toString('base64') : '';
    const bytes = pack([...event, chunk === '' ? {} : { chunk }]);
    for (let tries = 0; ; tries++) {
      this.#answers = '';
      this.#renew();
      try {
        await within(this.#connection.send(bytes), this.#settings.writeTimeout);
        if (chunk !== '') await within(this.#acknowledged(chunk), this.#settings.readTimeout);
        return;
      } catch (error) {
        this.#connection.drop();
        if (tries >= this.#settings.maxRetries || this.#closing.signal.aborted) throw error;
      }
      const wait = Math.min(LONGEST_WAIT, this.#settings.retryWait * 1.5 ** tries);
      await sleep(wait, undefined, { signal: this.#closing.signal });
    }
  }

  /** The name of the receiver may stand for another one by now. */
  #renew(): void {
    const { async, reconnectAfter } = this.#settings;
    if (async && reconnectAfter > 0 && this.#connection.age >= reconnectAfter) this.#connection.drop();
  }

  close(): void {
    this.#closing.abort();
    this.#heard();
    this.#connection.close();
  }

  /** The answer is a map of one entry, `ack`, whose value is the chunk's name: nothing else holds that text. */
  async #acknowledged(chunk: string): Promise<void> {
    while (!this.#answers.includes(chunk)) {
      if (this.#closing.signal.aborted) throw new Error('the log is closed');
      if (!this.#connection.open) throw new Error('EOF');
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#heard = resolve;
      await promise;
    }
  }
}

/** `0` waits for ever. */
async function within(work: Promise<void>, milliseconds: number): Promise<void> {
  if (milliseconds === 0) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('i/o timeout')), milliseconds);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Docker's `fluentd` driver. */
export const fluentd: LogDriver = {
  options: [
    ...LABEL_OPTIONS,
    'fluentd-address',
    'fluentd-async',
    'fluentd-async-connect',
    'fluentd-async-reconnect-interval',
    'fluentd-buffer-limit',
    'fluentd-max-retries',
    'fluentd-read-timeout',
    'fluentd-request-ack',
    'fluentd-retry-wait',
    'fluentd-sub-second-precision',
    'fluentd-write-timeout',
  ],
  check: (options) => void parseFluentdOptions(options),
  open,
  asyncLimit: (options) => {
    const { async, bufferLimit } = parseFluentdOptions(options);
    return async ? bufferLimit : undefined;
  },
};
