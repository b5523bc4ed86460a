import { connect, createServer, type Socket } from 'node:net';

/** A host port held by a socket of ours. Disposing frees it and ends what runs through it. */
export interface HostDoor extends AsyncDisposable {
  readonly port: number;
}

/** Where a port leads once its container has an address. */
export interface DoorTarget {
  address: string;
  port: number;
}

/**
 * Listens on a TCP port of the host, so that no other program takes it, and relays what NAT does not catch: IPv6,
 * mostly. Each direction ends on its own, as TCP allows.
 *
 * @param port 0 lets the kernel choose.
 * @throws the system error of `listen(2)`.
 */
export async function openTcpDoor(host: string, port: number, target: DoorTarget): Promise<HostDoor> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const inner = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    join(client, inner, open);
    join(inner, client, open);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true, backlog: 128 }, resolve);
  await promise;
  // A connection that could not be accepted, for want of descriptors say, is the client's to try again.
  server.off('error', reject).on('error', () => {});
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function join(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    open.delete(from);
    if (from.errored) to.destroy();
  });
}
