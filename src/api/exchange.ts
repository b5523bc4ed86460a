import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import type { Log } from '../util/log.ts';
import type { Query } from './query.ts';
import type { ReplyWriter } from './reply.ts';

/** One request as a handler sees it. */
export interface Exchange {
  readonly engine: Engine;
  readonly log: Log;
  readonly req: IncomingMessage;
  /** Minor version of the API the client speaks. */
  readonly api: number;
  readonly query: Query;
  /** A parameter of the route's path. */
  param(name: string): string;
  /** Aborts when the client is gone or the server closes. */
  readonly signal: AbortSignal;
}

/** A handler of an ordinary request: it answers through `reply` exactly once. */
export type Handler = (x: Exchange, reply: ReplyWriter) => Promise<void> | void;

/** A connection taken out of HTTP. `upgraded`: the client asked for it with an `Upgrade` header. */
export interface Takeover {
  readonly socket: Duplex;
  readonly upgraded: boolean;
  /** The first bytes behind the request, as an upgrade library wants them. */
  readonly head: Buffer;
}

/** A handler that gets the connection itself; until it has written, an error it throws becomes an answer. */
export type HijackHandler = (x: Exchange, takeover: Takeover) => Promise<void>;
