import { chmodSync, chownSync, rmSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import { conflict, hasCode, unavailable } from '../util/errors.ts';
import { ifExists } from '../util/files.ts';
import type { Log } from '../util/log.ts';
import { Dispatcher } from './dispatch.ts';
import type { ApiIdentity } from './identity.ts';

/** Where to listen: a unix socket with the group that may use it, a TCP address, or a socket the parent opened. */
export type ListenAddress =
  | { readonly path: string; readonly gid?: number }
  | { readonly host: string; readonly port: number }
  | { readonly fd: number };

export interface ApiServer extends AsyncDisposable {
  /** Starts listening; may be called for several addresses. Gives the port of a TCP address. */
  listen(address: ListenAddress): Promise<{ port: number | undefined }>;
  /** Stops accepting, aborts what runs, and ends every connection. */
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly engine: Engine;
  readonly log: Log;
  readonly version: ApiIdentity;
}

/** Room for long `filters`, as in Go's server. */
const MAX_HEADER = 1 << 20;

/** Connections the kernel keeps waiting while the engine is busy, as many as Go asks for: more are turned away at once. */
const BACKLOG = 4096;

/** How long answers under way may take to end once the server closes, in milliseconds. */
const GRACE = 1000;

/**
 * A socket file nobody listens on is left over from a daemon that died.
 *
 * @throws `conflict` when somebody does, `unavailable` in Docker's words for a directory: somebody's bind mount may have made it.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await ifExists(() => lstat(path));
  if (found?.isDirectory() === true) throw unavailable(`can't create unix socket ${path}: is a directory`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const probe = connect(path, () => {
    probe.destroy();
    reject(conflict(`${path}: another daemon listens on this socket`));
  });
  probe.on('error', (error) => {
    if (hasCode(error, 'ECONNREFUSED')) rmSync(path, { force: true });
    resolve();
  });
  await promise;
}

async function bind(server: Server, address: ListenAddress): Promise<void> {
  if ('path' in address) await removeStaleSocket(address.path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).once('listening', resolve);
  // The socket must never be open to everybody, not even before chmod.
  const umask = process.umask(0o177);
  try {
    server.listen({ ...address, backlog: BACKLOG });
  } finally {
    process.umask(umask);
  }
  await promise;
  server.off('error', reject);
  if (!('path' in address)) return;
  if (address.gid !== undefined) chownSync(address.path, 0, address.gid);
  chmodSync(address.path, 0o660);
}

/** The engine behind Docker's HTTP API. */
export function createApi({ engine, log, version }: ApiOptions): ApiServer {
  const closing = new AbortController();
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const dispatch = new Dispatcher({ engine, log, version, closing: closing.signal });

  const open = (): Server => {
    const server = createServer({
      maxHeaderSize: MAX_HEADER,
      requestTimeout: 0,
      // As Go's server: a client that keeps a connection for its next call must not meet one that we close at that moment.
      keepAliveTimeout: 0,
      // Other upgrades (h2c, for one) are offers the server may ignore.
      shouldUpgradeCallback: (req) => dispatch.takesOver(req),
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      // A connection that breaks between two requests concerns nobody.
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    });
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void dispatch.request(req, res));
    server.on('upgrade', (req, socket: Duplex, head: Buffer) => void dispatch.upgrade(req, socket, head));
    return server;
  };

  const close = async () => {
    closing.abort();
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, GRACE);
    for (const server of servers) server.closeIdleConnections();
    await Promise.all(closed);
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  };

  return {
    async listen(address) {
      const server = open();
      await bind(server, address);
      server.on('error', (error) => log.error('the API server failed', { error }));
      servers.push(server);
      const bound = server.address();
      return { port: typeof bound === 'object' ? bound?.port : undefined };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
