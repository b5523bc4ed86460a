import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** Something that takes logs and keeps what it got. */
export interface Receiver extends AsyncDisposable {
  readonly port: number;
  /** Datagrams, or what came of each connection. */
  readonly got: Buffer[];
  /** Everything, as text of one byte a character. */
  text(): string;
  /** Waits until what came has this in it; says what came instead. */
  until(part: string): Promise<string>;
}

const DEADLINE = 20_000;

function collecting(port: number, got: Buffer[], dispose: () => Promise<void>): Receiver {
  const text = () => Buffer.concat(got).toString('latin1');
  return {
    port,
    got,
    text,
    until: async (part) => {
      for (const start = Date.now(); !text().includes(part); ) {
        if (Date.now() - start > DEADLINE) throw new Error(`no ${part} in ${text().slice(0, 2000)}`);
        await sleep(20);
      }
      return text();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

export async function udpReceiver(): Promise<Receiver> {
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  socket.on('message', (message) => got.push(message));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return collecting(socket.address().port, got, async () => void socket.close());
}

/** @param options.listen a path, or a port; any free one by default. */
export async function streamReceiver(
  options: { listen?: string | number; tls?: TlsOptions; onData?: (chunk: Buffer, socket: Socket) => void } = {},
): Promise<Receiver> {
  const got: Buffer[] = [];
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk);
      options.onData?.(chunk, socket);
    });
  };
  const server: Server = options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
  if (typeof options.listen === 'string') server.listen(options.listen);
  else server.listen(options.listen ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return collecting(typeof address === 'string' ? 0 : (address as AddressInfo).port, got, async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
}
