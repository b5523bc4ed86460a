import { existsSync } from 'node:fs';
import { Redial } from './redial.ts';
import { StreamConnection } from './stream-connection.ts';
import { UnixDatagrams } from './unix-datagrams.ts';

/** Where a host has its own syslog. */
const PATHS = ['/dev/log', '/var/run/syslog', '/var/run/log'];

const SOCKETS = [(path: string) => new UnixDatagrams(path), (path: string) => new StreamConnection({ path })];

/** The syslog of this host, at the first of its usual sockets that somebody answers: of datagrams first, then of a stream. */
export class LocalSyslog {
  readonly #redial = new Redial();
  readonly #paths: readonly string[];
  #found: UnixDatagrams | StreamConnection | undefined;
  #closed = false;

  constructor(paths: readonly string[] = PATHS) {
    this.#paths = paths;
  }

  /** @throws in Docker's words when there is none. */
  async connect(): Promise<void> {
    const there = this.#paths.filter((path) => existsSync(path));
    for (const open of SOCKETS) for (const path of there) if (await this.#try(open(path))) return;
    throw new Error(this.#closed ? 'the log is closed' : 'Unix syslog delivery error');
  }

  /** A message is tried once more, wherever the socket is then. */
  send(bytes: Buffer): Promise<void> {
    return this.#pass(bytes).catch(() => {
      this.#found?.close();
      this.#found = undefined;
      return this.#pass(bytes);
    });
  }

  close(): void {
    this.#closed = true;
    this.#found?.close();
  }

  async #try(socket: UnixDatagrams | StreamConnection): Promise<boolean> {
    if (this.#closed) return false;
    this.#found = socket;
    try {
      await socket.connect();
      return true;
    } catch {
      socket.close();
      this.#found = undefined;
      return false;
    }
  }

  async #pass(bytes: Buffer): Promise<void> {
    if (this.#found === undefined) await this.#redial.run(() => this.connect());
    await this.#found?.send(bytes);
  }
}
