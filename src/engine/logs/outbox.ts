import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../util/log.ts';
import type { LogMessage, LogSink } from './drivers/driver.ts';

/** Bytes that may wait before the container is held up. */
const BLOCKING_LIMIT = 256 * 1024;
/** How long messages may still take to leave once their container has ended, in milliseconds. */
const AFTER_END = 10_000;

/** How long the end of the daemon waits for messages to leave, in milliseconds. */
export const AT_EXIT = 2000;
/** How long messages may leave one after another before the rest of the engine has its turn, in milliseconds. */
const TURN = 2;

/** How many messages may wait; past that they are dropped (`drop`) or the container is held up. */
export interface OutboxLimits {
  bytes: number;
  messages: number;
  drop: boolean;
}

export const BLOCKING: OutboxLimits = { bytes: BLOCKING_LIMIT, messages: Number.POSITIVE_INFINITY, drop: false };

/** An empty line is something too. */
const sizeOf = ({ line }: LogMessage): number => line.length + 1;

/**
 * The messages of one container on their way to its receiver, one at a time and in order. A message that the sink gives up is
 * lost there; the first of a row of losses is reported, and so is that messages are dropped, and at the end how many were.
 */
export class Outbox {
  readonly #sink: LogSink;
  readonly #limits: OutboxLimits;
  readonly #log: Log;
  #waiting: LogMessage[] = [];
  /** Of these and of the one under way. */
  #count = 0;
  #bytes = 0;
  #pump: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #dropped = 0;
  #losing = false;
  #over = false;

  constructor(sink: LogSink, limits: OutboxLimits, log: Log) {
    this.#sink = sink;
    this.#limits = limits;
    this.#log = log;
  }

  push(message: LogMessage): void {
    if (this.#over) return;
    if (this.#limits.drop && this.#full()) return this.#drop();
    this.#waiting.push(message);
    this.#count += 1;
    this.#bytes += sizeOf(message);
    this.#pump ??= this.#sendAll().finally(() => (this.#pump = undefined));
  }

  /** Resolves when there is room again; undefined when there is. */
  room(): Promise<void> | undefined {
    if (this.#limits.drop || !this.#full()) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Nothing more is coming: what waits is sent, unless the receiver takes too long. */
  async end(patience = AFTER_END): Promise<void> {
    const late = new AbortController();
    await Promise.race([this.#pump, sleep(patience, undefined, { ref: false, signal: late.signal }).catch(() => {})]);
    late.abort();
    this.close();
  }

  /** Gives up what waits. */
  close(): void {
    if (this.#dropped > 0) this.#log.warn('messages of a container were dropped', { dropped: this.#dropped });
    this.#dropped = 0;
    this.#over = true;
    this.#waiting = [];
    this.#sink.close();
    this.#room?.resolve();
  }

  #drop(): void {
    if (this.#dropped === 0) this.#log.warn('messages of a container are dropped: their receiver does not keep up');
    this.#dropped += 1;
  }

  /** One message has room under every limit. */
  #full(): boolean {
    return this.#count > 0 && (this.#bytes >= this.#limits.bytes || this.#count >= this.#limits.messages);
  }

  /** What sends without waiting, as to a receiver that keeps up, would not let anything else happen meanwhile. */
  async #sendAll(): Promise<void> {
    let since = performance.now();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const message of batch) {
        if (this.#over) return;
        await this.#send(message);
        this.#count -= 1;
        this.#bytes -= sizeOf(message);
        if (!this.#full()) this.#makeRoom();
        if (performance.now() - since < TURN) continue;
        await nextTurn();
        since = performance.now();
      }
    }
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  async #send(message: LogMessage): Promise<void> {
    try {
      await this.#sink.send(message);
      this.#losing = false;
    } catch (error) {
      if (this.#over || this.#losing) return;
      this.#losing = true;
      this.#log.warn('messages of a container do not reach their receiver', { error });
    }
  }
}
