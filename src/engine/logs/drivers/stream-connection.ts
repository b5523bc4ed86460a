import { connect as connectNet, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { errnoText } from './errno-text.ts';
import { tlsErrorText } from './tls-error.ts';
import { trustingSystem } from './tls-options.ts';

/** The other end of a stream: a path, or a host and a port, with or without TLS. */
export type StreamAddress = { path: string } | { host: string; port: number; tls?: ConnectionOptions };

/** Told what the receiver answers, and that a connection is gone. */
export interface ConnectionListener {
  data(chunk: Buffer): void;
  close(): void;
}

const CONNECT_TIMEOUT = 10_000;
/** As Go has it: a receiver whose host is gone is noticed although nothing is said. */
const KEEP_ALIVE = 15_000;

/** A connection that is made when it is needed, and again after it broke. */
export class StreamConnection {
  readonly #address: StreamAddress;
  readonly #listener: ConnectionListener;
  #socket: Socket | undefined;
  #tls: ConnectionOptions | undefined;
  #since = 0;
  #closed = false;

  constructor(address: StreamAddress, listener: ConnectionListener = { data: () => {}, close: () => {} }) {
    this.#address = address;
    this.#listener = listener;
  }

  /** It can be written to; false before the first message and after a break. */
  get open(): boolean {
    return this.#socket?.writable ?? false;
  }

  /** Milliseconds since it was made; 0 when there is none. */
  get age(): number {
    return this.open ? performance.now() - this.#since : 0;
  }

  /** @throws in the words of Go's `net.Dial`. */
  async connect(): Promise<void> {
    if (this.#closed) throw new Error('the log is closed');
    if (this.open) return;
    this.#socket?.destroy();
    this.#socket = undefined;
    const socket = await this.#dial();
    if (this.#closed) {
      socket.destroy();
      throw new Error('the log is closed');
    }
    socket.on('error', () => socket.destroy());
    socket.setKeepAlive(true, KEEP_ALIVE);
    // A receiver that ends its side has gone: what is written after that would be lost.
    socket.on('end', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#listener.data(chunk));
    socket.on('close', () => this.#listener.close());
    this.#socket = socket;
    this.#since = performance.now();
  }

  /** Resolves when the kernel has the bytes. @throws when the connection broke before. */
  async send(bytes: Buffer): Promise<void> {
    await this.connect();
    const socket = this.#socket as Socket;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const gone = () => reject(new Error('the connection is closed'));
    socket.once('close', gone);
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } finally {
      socket.off('close', gone);
    }
  }

  /** Breaks the connection: the next message makes another. */
  drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  close(): void {
    this.#closed = true;
    this.drop();
  }

  /** Made once: it holds some hundred certificates. */
  #secure(): ConnectionOptions | undefined {
    const tls = 'tls' in this.#address ? this.#address.tls : undefined;
    if (tls !== undefined) this.#tls ??= trustingSystem(tls);
    return this.#tls;
  }

  async #dial(): Promise<Socket> {
    const address = this.#address;
    if ('port' in address && address.port > 65_535) throw new Error(`dial tcp: address ${address.port}: invalid port`);
    const tls = this.#secure();
    const socket = tls === undefined ? connectNet(address) : connectTls({ ...address, ...tls });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(
      () => reject(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
      CONNECT_TIMEOUT,
    );
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
    try {
      await promise;
      socket.off('error', reject);
      return socket;
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      throw new Error(dialError(address, error), { cause: error });
    } finally {
      clearTimeout(late);
    }
  }
}

function dialError(address: StreamAddress, error: unknown): string {
  if ('path' in address) return `dial unix ${address.path}: connect: ${errnoText(error)}`;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${address.host}: no such host`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  if (code === 'ETIMEDOUT') return `dial tcp ${host}:${address.port}: i/o timeout`;
  const words = errnoText(error);
  // What is no error of the system comes from TLS.
  return words === (error as Error).message
    ? tlsErrorText(error)
    : `dial tcp ${host}:${address.port}: connect: ${words}`;
}
