import { connect, type Socket } from 'node:net';
import { type ErrorKind, GantryError, messageOf, unavailable } from '../../util/errors.ts';
import { decode, encode } from './messages.ts';
import { encodeFrame, type Frame, FrameReader, REQUEST, RESPONSE } from './ttrpc-frames.ts';

export interface CallOptions {
  /** Milliseconds until the call is given up; without it the call waits as long as the connection lives. */
  timeout?: number;
}

/** A connection to a ttrpc server, carrying any number of calls at once. */
export interface TtrpcClient extends Disposable {
  /**
   * @throws what the server's status says, see `ERROR_KINDS`; `unavailable` when the connection is or gets lost, or time is up.
   */
  call(service: string, method: string, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
}

/** gRPC status codes that mean something to a caller; all others are the words of the runtime. */
const ERROR_KINDS: Readonly<Record<number, ErrorKind>> = { 5: 'not-found', 12: 'unsupported', 14: 'unavailable' };

interface Pending {
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
}

/** Connects to a unix socket. @throws `unavailable` when nobody listens there. */
export async function connectTtrpc(path: string): Promise<TtrpcClient> {
  const socket = connect(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('connect', resolve);
  socket.once('error', (error) => reject(unavailable(`nobody answers at ${path}: ${error.message}`, error)));
  await promise;
  return new Connection(socket, path);
}

class Connection implements TtrpcClient {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  readonly #frames = new FrameReader();
  readonly closed: Promise<void>;
  #nextStream = 1;
  #reason = 'connection closed';
  #ended = false;

  constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => {
      this.#ended = true;
      for (const stream of this.#pending.keys()) this.#settle(stream)?.reject(this.#lost());
      closed.resolve();
    });
  }

  call(service: string, method: string, payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    if (this.#ended) return Promise.reject(this.#lost());
    const stream = this.#nextStream;
    // Clients use odd stream ids; they wrap long before a shim has served two billion calls.
    this.#nextStream = stream + 2 > 0x7fffffff ? 1 : stream + 2;
    const { timeout } = options;
    const request = { service, method, payload, ...(timeout === undefined ? {} : { timeoutNano: timeout * 1e6 }) };
    const frame = encodeFrame({ stream, type: REQUEST, payload: encode('TtrpcRequest', request) });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#pending.set(stream, { resolve, reject, timer: this.#expire(stream, method, timeout) });
    this.#socket.write(frame);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#reason = 'closed by us';
    this.#socket.destroy();
  }

  #expire(stream: number, method: string, timeout: number | undefined): NodeJS.Timeout | undefined {
    if (timeout === undefined) return undefined;
    const message = `no answer to ${method} within ${timeout} ms from ${this.#path}`;
    return setTimeout(() => this.#settle(stream)?.reject(unavailable(message)), timeout);
  }

  #lost(): Error {
    return unavailable(`lost the connection to ${this.#path}: ${this.#reason}`);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#answer(frame);
    } catch (error) {
      this.#reason = `protocol error: ${messageOf(error)}`;
      this.#socket.destroy();
    }
  }

  /** A stream nobody waits for is one that timed out. */
  #answer({ stream, type, payload }: Frame): void {
    if (type !== RESPONSE) return;
    // Read first: a call whose answer makes no sense is still pending when the connection is given up.
    const { status, payload: answer } = decode('TtrpcResponse', payload);
    const pending = this.#settle(stream);
    if (pending === undefined) return;
    if (!status?.code) pending.resolve(answer);
    else
      pending.reject(
        new GantryError(ERROR_KINDS[status.code] ?? 'internal', status.message || `status ${status.code}`),
      );
  }

  #settle(stream: number): Pending | undefined {
    const pending = this.#pending.get(stream);
    this.#pending.delete(stream);
    clearTimeout(pending?.timer);
    return pending;
  }
}
