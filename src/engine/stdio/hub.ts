import type { Readable } from 'node:stream';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import type { OutputName } from '../engine.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import { type AttachEnd, Client, type HubAttach } from './client.ts';
import { DetachScanner, parseDetachKeys } from './detach-keys.ts';
import { replayLog } from './replay.ts';

export type { AttachEnd, HubAttach } from './client.ts';

/** After the process has ended no more than this is left in pipes and buffers of an honest one. */
const AFTER_EXIT = 4 * 1024 * 1024;

export interface HubOptions {
  pipes: IoPipes;
  /** Undefined: nothing is kept, as for an exec. */
  log: LogWriter | undefined;
  /** The process's input ends with that of the first client. */
  stdinOnce: boolean;
  /** Tells the runtime that the input has ended, once the process has started; called at most once, before the pipe is closed. */
  closeStdin: () => Promise<void>;
}

/**
 * The hub of one process's streams. What is read from a pipe is in the log before anything else happens, and then goes to every
 * attached client. A client that lags, or a receiver of the log, pauses the pipes of this process, and with that the process, as in Docker; the
 * hubs of other processes do not notice.
 */
export class StdioHub {
  readonly log: LogWriter | undefined;
  readonly #pipes: IoPipes;
  readonly #stdinOnce: boolean;
  readonly #closeStdin: () => Promise<void>;
  readonly #clients = new Set<Client>();
  /** Clients, and the log's receiver, that keep the pipes paused. */
  readonly #holding = new Set<Client | LogWriter>();
  #stdinClosed = false;
  #finished = false;
  /** Bytes that may still come although a client lags; undefined while the process runs. */
  #grace: number | undefined;

  constructor({ pipes, log, stdinOnce, closeStdin }: HubOptions) {
    this.log = log;
    this.#pipes = pipes;
    this.#stdinOnce = stdinOnce;
    this.#closeStdin = closeStdin;
    pipes.stdout.onData((chunk) => this.#output('stdout', chunk));
    pipes.stderr?.onData((chunk) => this.#output('stderr', chunk));
  }

  /**
   * Joins a client; it takes part from the moment of the call. Resolves when all output has been handed to its sink (`ended`), it
   * typed its detach keys, or it went away.
   *
   * @throws `invalid` for detach keys that are none.
   */
  async attach(io: HubAttach): Promise<AttachEnd> {
    const keys = parseDetachKeys(io.detachKeys ?? '');
    const client = new Client(io);
    if (io.signal.aborted) return 'client-gone';
    const gone = () => this.#drop(client, 'client-gone');
    io.signal.addEventListener('abort', gone);
    this.#clients.add(client);
    try {
      if (io.stdin !== undefined) this.#startInput(client, io.stdin, keys);
      if (io.logs === true && client.hasSink) this.#startReplay(client);
      else this.#goLive(client);
      return await client.done.promise;
    } finally {
      io.signal.removeEventListener('abort', gone);
    }
  }

  /** The process has ended but was not deleted: from now on no client holds up what little is left of its output. */
  exited(): void {
    this.#grace ??= AFTER_EXIT;
    this.#setFlow();
  }

  /** The process was deleted: takes the rest from the pipes, ends the log, and ends each client once its sink has everything. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    this.#pipes.stdout.drain();
    this.#pipes.stderr?.drain();
    this.#finished = true;
    this.#pipes.stdin?.close();
    this.log?.end();
    for (const client of this.#clients) if (client.live) this.#endWhenDrained(client);
  }

  /** The daemon stops and the process lives on: clients are let go, the log is left for the next daemon. Resolves when it is closed. */
  async close(): Promise<void> {
    this.#finished = true;
    this.#pipes.stdout.pause();
    this.#pipes.stderr?.pause();
    for (const client of this.#clients) this.#drop(client, 'client-gone');
    await this.log?.close();
  }

  #output(stream: OutputName, chunk: Buffer): void {
    this.log?.write(stream, chunk);
    this.#holdForLog();
    if (this.#grace !== undefined) this.#spendGrace(chunk.length);
    for (const client of this.#clients) if (client.live) this.#deliver(client, stream, chunk);
  }

  #deliver(client: Client, stream: OutputName, chunk: Buffer): void {
    try {
      if (!client.write(stream, chunk)) this.#hold(client);
    } catch {
      this.#drop(client, 'client-gone');
    }
  }

  #hold(client: Client): void {
    if (this.#holding.has(client)) return;
    this.#holding.add(client);
    this.#setFlow();
    client.drained().then(
      () => this.#release(client),
      () => this.#drop(client, 'client-gone'),
    );
  }

  #holdForLog(): void {
    const log = this.log;
    const room = log?.room();
    if (log === undefined || room === undefined || this.#holding.has(log)) return;
    this.#holding.add(log);
    this.#setFlow();
    void room.then(() => this.#release(log));
  }

  #release(holder: Client | LogWriter): void {
    if (this.#holding.delete(holder)) this.#setFlow();
  }

  #spendGrace(bytes: number): void {
    this.#grace = Math.max(0, (this.#grace ?? 0) - bytes);
    if (this.#grace === 0 && this.#holding.size > 0) this.#setFlow();
  }

  #setFlow(): void {
    if (this.#finished) return;
    const pause = this.#holding.size > 0 && (this.#grace === undefined || this.#grace === 0);
    for (const pipe of [this.#pipes.stdout, this.#pipes.stderr]) {
      if (pause) pipe?.pause();
      else pipe?.resume();
    }
  }

  #drop(client: Client, how: AttachEnd): void {
    client.end(how);
    this.#clients.delete(client);
    this.#release(client);
  }

  #goLive(client: Client): void {
    if (client.over) return;
    client.live = true;
    if (this.#finished) this.#endWhenDrained(client);
  }

  #endWhenDrained(client: Client): void {
    client.live = false;
    client.drained().then(
      () => this.#drop(client, 'ended'),
      () => this.#drop(client, 'client-gone'),
    );
  }

  #startReplay(client: Client): void {
    const replay = replayLog({
      log: this.log,
      client,
      hold: () => {
        this.#holding.add(client);
        this.#setFlow();
      },
      // Live first: letting the pipes flow may bring output at once.
      goLive: () => {
        this.#goLive(client);
        this.#release(client);
      },
    });
    replay.catch(() => this.#drop(client, 'client-gone'));
  }

  #startInput(client: Client, stdin: Readable, keys: Buffer): void {
    const input = this.#passInput(client, stdin, keys);
    // A client that broke off has no more to say; that its attachment is over it tells by its signal.
    input.catch(() => {}).finally(() => void this.#inputEnded(client));
  }

  async #passInput(client: Client, stdin: Readable, keys: Buffer): Promise<void> {
    // Only a terminal has no stderr of its own, and only at a terminal are keys typed.
    const scanner = this.#pipes.stderr === undefined ? new DetachScanner(keys) : undefined;
    const pipe = this.#pipes.stdin;
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      if (client.over) return;
      const { data, detached } = scanner?.push(chunk as Buffer) ?? { data: chunk as Buffer, detached: false };
      if (data.length > 0) await pipe?.write(data);
      if (detached) this.#drop(client, 'detached');
    }
    const held = scanner?.flush() ?? Buffer.alloc(0);
    if (held.length > 0) await pipe?.write(held);
  }

  async #inputEnded(client: Client): Promise<void> {
    const terminal = this.#pipes.stderr === undefined;
    if (this.#stdinOnce && !terminal && !this.#stdinClosed && !this.#finished) {
      this.#stdinClosed = true;
      // Our end last: until the shim has opened the pipe, nobody else keeps what is in it. The process may have ended meanwhile.
      await this.#closeStdin().catch(() => {});
      this.#pipes.stdin?.close();
    }
    if (!client.hasSink) this.#drop(client, 'ended');
  }
}
