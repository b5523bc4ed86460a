import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { PassThrough } from 'node:stream';
import type { Attachment } from '../engine/engine.ts';
import type { Exchange, Takeover } from './exchange.ts';
import { outputType } from './frames.ts';
import { outputSink } from './output-sink.ts';

/** How long a client may keep its half open after ours is closed, in milliseconds. */
const LINGER = 2000;

/** Writes a response head with Docker's spelling and order of headers. */
function writeHead(socket: Duplex, line: string, headers: readonly (readonly [string, string])[]): void {
  socket.write(`HTTP/1.1 ${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
}

/** Ends our half once everything is written, then lets the client end its own. */
function endSocket(socket: Duplex): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.writableFinished && socket.destroy());
  socket.end(() => socket.readableEnded && socket.destroy());
  socket.resume();
}

/** Answers a request whose connection was taken over, and closes it. */
export function answerRaw(
  socket: Duplex,
  status: number,
  headers: readonly (readonly [string, string])[],
  body: string,
): void {
  const length: [string, string] = ['Content-Length', String(Buffer.byteLength(body))];
  writeHead(socket, `${status} ${STATUS_CODES[status] ?? ''}`, [...headers, length, ['Connection', 'close']]);
  if (body !== '') socket.write(body);
  endSocket(socket);
}

/**
 * Hands a connection over to an attached process until its output ends. The client closing its half is the process's end
 * of input and leaves the output alone; the connection breaking aborts.
 */
export async function joinProcess(
  x: Exchange,
  { socket, upgraded, head }: Takeover,
  attachment: Attachment,
  wants: { stdin: boolean; output: boolean },
  headers: readonly (readonly [string, string])[] = [],
): Promise<void> {
  const type = outputType(attachment.tty, x.api);
  const upgrade = [
    ['Content-Type', type],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'tcp'],
  ] as const;
  if (upgraded) writeHead(socket, '101 UPGRADED', [...upgrade, ...headers]);
  else writeHead(socket, '200 OK', [['Content-Type', outputType(true, x.api)], ...headers]);
  // What the client sent together with its request is input too.
  if (head.length > 0) socket.unshift(head);
  const stdin = wants.stdin ? socket.pipe(new PassThrough()) : undefined;
  if (!stdin) socket.resume();
  try {
    const sink = wants.output ? outputSink(socket, !attachment.tty) : undefined;
    await attachment.connect({ stdin, sink, signal: x.signal });
  } finally {
    if (stdin) {
      socket.unpipe(stdin);
      stdin.destroy();
    }
    endSocket(socket);
  }
}
