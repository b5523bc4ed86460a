import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';

/** Sends datagrams to one address. Nobody need be there: whoever listens later gets what is sent later. */
export class UdpSocket {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #address = '';
  #closed = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Finds the address. @throws in the words of Go's `net.Dial`. */
  async connect(): Promise<void> {
    if (this.#socket !== undefined) return;
    if (this.#port > 65_535) throw new Error(`dial udp: address ${this.#port}: invalid port`);
    const found = await lookup(this.#host || '127.0.0.1').catch((error: unknown) => {
      throw new Error(`dial udp: lookup ${this.#host}: no such host`, { cause: error });
    });
    if (this.#closed) throw new Error('the log is closed');
    this.#address = found.address;
    this.#socket = createSocket(isIPv6(found.address) ? 'udp6' : 'udp4');
    this.#socket.on('error', () => {});
    this.#socket.unref();
  }

  async send(bytes: Buffer): Promise<void> {
    await this.connect();
    if (this.#closed) throw new Error('the log is closed');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket?.send(bytes, this.#port, this.#address, (error) => (error ? reject(error) : resolve()));
    await promise;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
    this.#socket = undefined;
  }
}
