import { connect, type Socket } from 'node:net';
import type { Target } from './target.ts';

/** A piece of a multiplexed stream. */
export interface Frame {
  stream: 'stdin' | 'stdout' | 'stderr';
  data: Buffer;
}

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** Reads frames out of chunks as they come. @throws when a header is none. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (bytes.length >= 8) {
      const stream = STREAMS[bytes[0] ?? 9];
      if (stream === undefined || bytes.readUIntBE(1, 3) !== 0) {
        throw new Error(`no frame header: ${bytes.subarray(0, 64).toString('latin1')}`);
      }
      const end = 8 + bytes.readUInt32BE(4);
      if (bytes.length < end) break;
      frames.push({ stream, data: bytes.subarray(8, end) });
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
    return frames;
  }

  /** Bytes of a frame that was cut short. */
  get pending(): number {
    return this.#rest.length;
  }
}

/** One side of a multiplexed stream, put together. */
export function outputOf(stream: Frame['stream'], bytes: Buffer): string {
  const decoder = new FrameDecoder();
  const frames = decoder.push(bytes);
  if (decoder.pending > 0) throw new Error(`${decoder.pending} bytes after the last frame`);
  return Buffer.concat(frames.filter((frame) => frame.stream === stream).map(({ data }) => data)).toString();
}

/** A connection that an engine handed over to a process, read without any library in between. */
export interface Hijacked extends Disposable {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly socket: Socket;
  /** What came after the head, so far. */
  received(): Buffer;
  /** Resolves as soon as what came satisfies the test. @throws with what came after ten seconds, or when the peer ends. */
  until(test: (received: Buffer) => boolean): Promise<void>;
  /** Everything after the head, once the peer has ended its half. */
  ended(): Promise<Buffer>;
}

/** Posts to an engine and takes the connection over. The write side stays open until the caller ends it. */
export async function hijack(
  target: Target,
  path: string,
  { upgrade = true, body, collect = true }: { upgrade?: boolean; body?: unknown; collect?: boolean } = {},
): Promise<Hijacked> {
  const payload = body === undefined ? '' : JSON.stringify(body);
  const socket = connect({ path: target.socket, allowHalfOpen: true });
  socket.on('error', () => {});
  const head = [`POST ${path} HTTP/1.1`, 'Host: engine', 'Content-Type: application/json'];
  if (upgrade) head.push('Connection: Upgrade', 'Upgrade: tcp');
  socket.write(`${[...head, `Content-Length: ${Buffer.byteLength(payload)}`].join('\r\n')}\r\n\r\n${payload}`);
  const { status, headers, rest } = await readHead(socket);
  const chunks: Buffer[] = rest.length > 0 ? [rest] : [];
  const received = (): Buffer => Buffer.concat(chunks);
  if (collect) socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  else if (rest.length > 0) socket.unshift(rest);
  return {
    status,
    headers,
    socket,
    received,
    until: (test) => until(socket, () => test(received()), received),
    ended: async () => {
      await until(socket, () => socket.readableEnded || socket.destroyed, received);
      return received();
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function until(socket: Socket, test: () => boolean, received: () => Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = (): void => void (test() && resolve());
  const fail = (why: string): void =>
    reject(new Error(`${why}; it sent: ${received().toString('latin1').slice(-2000)}`));
  const ended = (): void => (test() ? resolve() : fail('the peer ended'));
  const timer = setTimeout(() => fail('nothing more came for ten seconds'), 10_000);
  socket.on('data', check).on('end', ended).on('close', ended);
  check();
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', check).off('end', ended).off('close', ended);
  });
}

async function readHead(socket: Socket): Promise<{ status: number; headers: Map<string, string>; rest: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let bytes: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0) resolve(end);
  };
  const onClose = (): void => reject(new Error(`no answer but: ${bytes.toString('latin1')}`));
  socket.on('data', onData).on('close', onClose);
  const end = await promise.finally(() => socket.off('data', onData).off('close', onClose).pause());
  const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, rest: bytes.subarray(end + 4) };
}
