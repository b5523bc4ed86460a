import { connect as connectNet, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { errnoText } from './errno-text.ts';

/** The other end of a stream: a path, or a host and a port, with or without TLS. */
export type StreamAddress = { path: string } | { host: string; port: number; tls?: ConnectionOptions };

/** Told what the receiver answers, and that a connection is gone. */
export interface ConnectionListener {
  data(chunk: Buffer): void;
  close(): void;
}

const CONNECT_TIMEOUT = 10_000;

/** A connection that is made when it is needed, and again after it broke. */
export class StreamConnection {
  readonly #address: StreamAddress;
  readonly #listener: ConnectionListener;
  #socket: Socket | undefined;
  #closed = false;

  constructor(address: StreamAddress, listener: ConnectionListener = { data: () => {}, close: () => {} }) {
    this.#address = address;
    this.#listener = listener;
  }

  /** It can be written to; false before the first message and after a break. */
  get open(): boolean {
    return this.#socket?.writable ?? false;
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
    // A receiver that ends its side has gone: what is written after that would be lost.
    socket.on('end', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#listener.data(chunk));
    socket.on('close', () => this.#listener.close());
    this.#socket = socket;
  }

  /** Resolves when the kernel has the bytes. @throws when the connection broke before. */
  async write(bytes: Buffer): Promise<void> {
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

  /** Breaks the connection: the next write makes another. */
  drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  close(): void {
    this.#closed = true;
    this.drop();
  }

  async #dial(): Promise<Socket> {
    const address = this.#address;
    const tls = 'tls' in address ? address.tls : undefined;
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
  return words === (error as Error).message ? words : `dial tcp ${host}:${address.port}: connect: ${words}`;
}
