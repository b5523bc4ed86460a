import { unlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { messageOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { decode, encode } from './messages.ts';
import { encodeFrame, type Frame, FrameReader, REQUEST, RESPONSE } from './ttrpc-frames.ts';

const UNIMPLEMENTED = 12;
const INTERNAL = 13;

/** Answers one method; what it throws becomes the status of the reply. Keyed `service/method`. */
export type TtrpcHandlers = ReadonlyMap<string, (payload: Uint8Array) => Uint8Array>;

/**
 * Serves ttrpc calls on a unix socket, replacing a socket an earlier daemon left there. Disposing closes all connections
 * and removes the socket.
 */
export async function serveTtrpc(path: string, handlers: TtrpcHandlers): Promise<AsyncDisposable> {
  await ifExists(() => unlink(path));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, handlers);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
  // A connection that could not be accepted, for want of descriptors say: the shim tries again.
  server.off('error', reject).on('error', () => {});
  return {
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

function serveConnection(socket: Socket, handlers: TtrpcHandlers): void {
  const frames = new FrameReader();
  // A shim that went away needs no answer.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of frames.push(chunk)) {
        if (frame.type === REQUEST) socket.write(reply(frame, handlers));
      }
    } catch {
      socket.destroy();
    }
  });
}

function reply({ stream, payload }: Frame, handlers: TtrpcHandlers): Buffer {
  return encodeFrame({ stream, type: RESPONSE, payload: encode('TtrpcResponse', answer(payload, handlers)) });
}

function answer(bytes: Uint8Array, handlers: TtrpcHandlers) {
  const { service, method, payload } = decode('TtrpcRequest', bytes);
  const handler = handlers.get(`${service}/${method}`);
  if (handler === undefined)
    return { status: { code: UNIMPLEMENTED, message: `${service}/${method} is not served here` } };
  try {
    return { payload: handler(payload) };
  } catch (error) {
    return { status: { code: INTERNAL, message: messageOf(error) } };
  }
}
