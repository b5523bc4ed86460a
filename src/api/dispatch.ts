import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import { internal, kindOf, messageOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';
import { negotiateVersion } from './api-version.ts';
import { statusOf } from './error-status.ts';
import type { Exchange } from './exchange.ts';
import { createFinder, type Found } from './find-route.ts';
import { answerRaw } from './hijack.ts';
import { type ApiIdentity, identityHeaders } from './identity.ts';
import { readQuery } from './query.ts';
import { replyWriter } from './reply.ts';
import { reportError } from './report-error.ts';
import { allRoutes } from './routes/all-routes.ts';
import { plainTakeover } from './takeover.ts';

export interface DispatchOptions {
  engine: Engine;
  log: Log;
  version: ApiIdentity;
  closing: AbortSignal;
}

/** Finds the handler of each request, runs it, and turns what it throws into an answer. */
export class Dispatcher {
  readonly #options: DispatchOptions;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #find: (req: IncomingMessage) => Found;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#headers = identityHeaders(options.version);
    this.#find = createFinder(allRoutes(this.#headers));
  }

  /** True when the endpoint answers with the bare connection and the client offers that. */
  takesOver(req: IncomingMessage): boolean {
    try {
      return this.#find(req).route.hijack !== undefined && /^(tcp|websocket)$/i.test(req.headers.upgrade ?? '');
    } catch {
      return false;
    }
  }

  async request(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      // A browser asks so before a call; Docker says yes to everything.
      if (req.method === 'OPTIONS') {
        this.#introduce(res);
        replyWriter(res).empty(200);
        return;
      }
      const found = this.#find(req);
      this.#introduce(res);
      if (found.route.hijack) await this.#plainHijack(req, res, found);
      else await this.#serve(req, res, found);
    } catch (error) {
      reportError({ log: this.#options.log, req }, error);
      // Once the head is out, breaking the connection is the only honest way to say that the body is not whole.
      if (res.headersSent) res.destroy();
      else if (kindOf(error) === 'not-modified') res.writeHead(304).end();
      else replyWriter(res).json({ message: messageOf(error) }, statusOf(error));
    }
  }

  #introduce(res: ServerResponse): void {
    for (const [name, value] of this.#headers) res.setHeader(name, value);
  }

  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    try {
      const found = this.#find(req);
      const { signal } = goneWith(socket);
      await found.route.hijack?.(this.#exchange(req, found, signal), { socket, upgraded: true, head });
    } catch (error) {
      this.#refuse(req, socket, error);
    }
  }

  async #serve(req: IncomingMessage, res: ServerResponse, found: Found): Promise<void> {
    await found.route.run?.(this.#exchange(req, found, goneWith(res).signal), replyWriter(res));
    if (!res.headersSent) throw internal(`nothing answered ${req.method} ${req.url}`);
  }

  async #plainHijack(req: IncomingMessage, res: ServerResponse, found: Found): Promise<void> {
    const takeover = plainTakeover(req, res);
    const gone = goneWith(req.socket);
    try {
      await found.route.hijack?.(this.#exchange(req, found, gone.signal), takeover);
    } catch (error) {
      if (!takeover.taken) {
        // The connection stays, for the next request.
        gone.forget();
        throw error;
      }
      this.#refuse(req, takeover.socket, error);
    }
  }

  #exchange(req: IncomingMessage, found: Found, gone: AbortSignal): Exchange {
    const { closing } = this.#options;
    let signal: AbortSignal | undefined;
    return {
      engine: this.#options.engine,
      log: this.#options.log,
      req,
      api: negotiateVersion(found.prefix),
      query: readQuery(found.search),
      param: (name) => found.params[name] ?? '',
      // Most handlers never ask, and a combined signal is not free.
      get signal() {
        signal ??= AbortSignal.any([gone, closing]);
        return signal;
      },
    };
  }

  /** Answers an error on a bare connection, unless the handler has ended it already. */
  #refuse(req: IncomingMessage, socket: Duplex, error: unknown): void {
    reportError({ log: this.#options.log, req }, error);
    if (socket.destroyed || socket.writableEnded) return;
    const body = `${JSON.stringify({ message: messageOf(error) })}\n`;
    answerRaw(socket, statusOf(error), [...this.#headers, ['Content-Type', 'application/json']], body);
  }
}

/** Aborts when the client's stream closes; `forget` stops listening. */
function goneWith(client: ServerResponse | Duplex): { signal: AbortSignal; forget: () => void } {
  const gone = new AbortController();
  const abort = () => gone.abort();
  client.once('close', abort);
  return { signal: gone.signal, forget: () => void client.off('close', abort) };
}
