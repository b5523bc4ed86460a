import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Takeover } from './exchange.ts';

/** Stops Node's parser: from here on the connection's bytes belong to the handler. */
function detach(req: IncomingMessage, res: ServerResponse): Duplex {
  const { socket } = req;
  res.detachSocket(socket);
  for (const event of ['data', 'end', 'drain', 'timeout']) socket.removeAllListeners(event);
  socket.setTimeout(0);
  // Node gives the native handle back when somebody listens for data; pausing keeps what comes until the handler reads.
  socket.on('data', () => {});
  socket.removeAllListeners('data');
  socket.pause();
  socket.allowHalfOpen = true;
  return socket;
}

/**
 * A takeover of a request that Node does not take for an upgrade, done when the handler first asks for the socket; until then HTTP answers.
 * As for Docker, an `Upgrade` header asks for one without `Connection`, too.
 */
export function plainTakeover(req: IncomingMessage, res: ServerResponse): Takeover & { readonly taken: boolean } {
  let socket: Duplex | undefined;
  return {
    upgraded: req.headers.upgrade !== undefined,
    head: Buffer.alloc(0),
    get taken() {
      return socket !== undefined;
    },
    get socket() {
      socket ??= detach(req, res);
      return socket;
    },
  };
}
