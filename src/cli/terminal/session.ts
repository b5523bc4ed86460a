import type { Socket } from 'node:net';
import { frameReader } from '../../client/frames.ts';
import { DEFAULT_DETACH_KEYS, detachWatcher, keyBytes } from './detach-keys.ts';

export interface SessionOptions {
  socket: Socket;
  /** The process has a terminal: output is not framed, and the local one is put into raw mode. */
  tty: boolean;
  /** Undefined: nothing is sent. */
  stdin: NodeJS.ReadStream | undefined;
  stdout: NodeJS.WriteStream | undefined;
  stderr: NodeJS.WriteStream | undefined;
  /** Empty: Docker's default. */
  detachKeys: string;
}

/** How a session ended: the process's output did, or the user asked to leave. */
export type SessionEnd = 'ended' | 'detached';

/** Joins the local streams with a hijacked connection until its output ends or the user detaches. */
export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { socket, stdin } = options;
  const { promise, resolve, reject } = Promise.withResolvers<SessionEnd>();
  const keys = keyBytes(options.detachKeys || DEFAULT_DETACH_KEYS);
  socket.on('error', (error) => ('code' in error && error.code === 'ECONNRESET' ? resolve('ended') : reject(error)));
  socket.on('end', () => resolve('ended'));
  socket.on('close', () => resolve('ended'));
  showOutput(options, reject);
  if (stdin === undefined) socket.end();
  const raw = stdin !== undefined && options.tty && stdin.isTTY;
  if (raw) stdin.setRawMode(true);
  const stop = stdin === undefined ? () => {} : sendInput(stdin, socket, options.tty ? keys : undefined, resolve);
  try {
    return await promise;
  } finally {
    stop();
    if (raw) stdin.setRawMode(false);
    socket.destroy();
  }
}

function showOutput({ socket, tty, stdout, stderr }: SessionOptions, fail: (error: unknown) => void): void {
  const write = (target: NodeJS.WriteStream | undefined, data: Buffer) => {
    if (target === undefined || target.write(data)) return;
    socket.pause();
    target.once('drain', () => socket.resume());
  };
  if (tty) {
    socket.on('data', (chunk: Buffer) => write(stdout, chunk));
    return;
  }
  const feed = frameReader((stream, data) => write(stream === 'stdout' ? stdout : stderr, data));
  socket.on('data', (chunk: Buffer) => {
    try {
      feed(chunk);
    } catch (error) {
      fail(error);
    }
  });
}

/** Copies input; its end closes our half of the connection, which is the process's end of file. */
function sendInput(
  stdin: NodeJS.ReadStream,
  socket: Socket,
  keys: readonly number[] | undefined,
  resolve: (end: SessionEnd) => void,
): () => void {
  const watch = keys === undefined ? (chunk: Buffer) => chunk : detachWatcher(keys);
  const onData = (chunk: Buffer) => {
    const passed = watch(chunk);
    if (passed === 'detach') resolve('detached');
    else if (passed.length > 0 && !socket.write(passed)) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
  };
  const onEnd = () => socket.end();
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  stdin.on('error', onEnd);
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.pause();
  };
}
