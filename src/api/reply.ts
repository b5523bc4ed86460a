import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { drained } from './drained.ts';

/** How a handler answers. */
export interface ReplyWriter {
  json(body: unknown, status?: number): void;
  text(body: string): void;
  /** A status without a body. */
  empty(status: number): void;
  header(name: string, value: string): void;
  /** Sends the head at once and gives the body to write to piece by piece. */
  stream(contentType: string): BodyStream;
  /** Sends a whole stream as the body. */
  pipe(contentType: string, body: Readable, signal: AbortSignal): Promise<void>;
}

export interface BodyStream {
  /** Resolves when the client can take more, or is gone. */
  write(...pieces: readonly (string | Buffer)[]): Promise<void>;
  end(): void;
}

function bodyStream(res: ServerResponse): BodyStream {
  return {
    async write(...pieces) {
      if (res.destroyed || pieces.length === 0) return;
      res.cork();
      for (const piece of pieces) res.write(piece);
      res.uncork();
      await drained(res);
    },
    end: () => res.end(),
  };
}

/** A writer over Node's response. */
export function replyWriter(res: ServerResponse): ReplyWriter {
  const send = (status: number, type: string, body: string) => {
    res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    res.end(body);
  };
  return {
    json: (body, status = 200) => send(status, 'application/json', `${JSON.stringify(body)}\n`),
    text: (body) => send(200, 'text/plain; charset=utf-8', body),
    empty(status) {
      if (status !== 204 && status !== 304) res.setHeader('Content-Length', 0);
      res.writeHead(status).end();
    },
    header: (name, value) => void res.setHeader(name, value),
    stream(contentType) {
      res.writeHead(200, { 'Content-Type': contentType });
      res.flushHeaders();
      return bodyStream(res);
    },
    async pipe(contentType, body, signal) {
      res.writeHead(200, { 'Content-Type': contentType });
      try {
        await pipeline(body, res, { signal });
      } catch (error) {
        // The connection may close, and the signal abort, before the source of what has all been sent is done.
        if (!res.writableFinished) throw error;
      }
    },
  };
}
