import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { hasCode, internal, messageOf, unavailable } from '../util/errors.ts';
import { daemonError } from './daemon-error.ts';
import type { Endpoint } from './endpoint.ts';

// An import statement would run every lazy getter of the module, WebSocket's 60 ms among them, at each start.
const http = process.getBuiltinModule('node:http');

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** PEM texts for `tcp` with TLS. `verify` false accepts any server certificate. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  verify: boolean;
}

export interface Call {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Whole path, version prefix included. */
  path: string;
  query?: Query | undefined;
  /** Sent as JSON; a stream is sent as it is, with `contentType`. */
  body?: unknown;
  stream?: Readable | undefined;
  contentType?: string;
  headers?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
}

/** One engine to talk HTTP with. */
export interface Transport extends Disposable {
  readonly endpoint: Endpoint;
  /** @throws `DaemonError` for a status of 400 and above; `unavailable` when nobody listens. */
  call(call: Call): Promise<IncomingMessage>;
  /** Turns the connection into a raw two-way stream, as attach and exec do. */
  hijack(call: Call): Promise<Hijacked>;
}

export interface Hijacked {
  socket: Socket;
  /** Output is in frames: the process has no terminal. Engines before API 1.42 do not say, then undefined. */
  multiplexed: boolean | undefined;
}

export function encodeQuery(query: Query | undefined): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query ?? {})) {
    const values = typeof value === 'object' ? value : value === undefined || value === '' ? [] : [value];
    for (const one of values) parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(String(one))}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Collects a body as text. */
export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function connectionError(endpoint: Endpoint, error: unknown): Error {
  const { label } = endpoint;
  if (hasCode(error, 'EACCES', 'EPERM')) {
    return unavailable(`permission denied while trying to connect to the Docker daemon socket at ${label}`, error);
  }
  if (hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR')) {
    return unavailable(`Cannot connect to the Docker daemon at ${label}. Is the docker daemon running?`, error);
  }
  return internal(`error during connect: ${messageOf(error)}`, error);
}

type Open = (options: RequestOptions) => ClientRequest;

/** Opens a transport; nothing is connected before the first call. */
export function openTransport(endpoint: Endpoint, tls?: TlsOptions): Transport {
  const { open, agent } = requester(endpoint, tls);
  const start = (call: Call, extra: Record<string, string>) => {
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const type = body === undefined ? call.contentType : 'application/json';
    const req = open({
      method: call.method,
      path: call.path + encodeQuery(call.query),
      headers: {
        // Go's server takes any Host over a unix socket; Docker's client sends this one.
        Host: endpoint.kind === 'unix' ? 'docker' : `${endpoint.host}:${endpoint.port}`,
        ...(type === undefined ? {} : { 'Content-Type': type }),
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
        ...call.headers,
        ...extra,
      },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
    if (call.stream === undefined) req.end(body);
    else call.stream.on('error', (error) => req.destroy(error)).pipe(req);
    return req;
  };
  return {
    endpoint,
    call: (call) => answer(endpoint, start(call, {})),
    hijack: (call) => upgraded(endpoint, start(call, { Connection: 'Upgrade', Upgrade: 'tcp' })),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function requester(endpoint: Endpoint, tls: TlsOptions | undefined): { open: Open; agent: Agent } {
  if (tls === undefined || endpoint.kind === 'unix') {
    const agent = new http.Agent({ keepAlive: true });
    // Named, the server is not looked for in the headers, which would compile the expression for IPv6 addresses.
    const where =
      endpoint.kind === 'unix'
        ? { socketPath: endpoint.path, servername: '' }
        : { host: endpoint.host, port: endpoint.port };
    return { open: (options) => http.request({ ...where, ...options, agent }), agent };
  }
  const https = process.getBuiltinModule('node:https');
  const { verify, ...pems } = tls;
  const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: verify, ...pems });
  const where = { host: endpoint.host, port: endpoint.port };
  return { open: (options) => https.request({ ...where, ...options, agent }), agent };
}

function answer(endpoint: Endpoint, req: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  req.on('error', (error) => reject(connectionError(endpoint, error)));
  req.on('response', (res) => {
    if ((res.statusCode ?? 0) < 400) resolve(res);
    else readText(res).then((body) => reject(daemonError(res.statusCode ?? 500, body)), reject);
  });
  return promise;
}

function upgraded(endpoint: Endpoint, req: ClientRequest): Promise<Hijacked> {
  const { promise, resolve, reject } = Promise.withResolvers<Hijacked>();
  req.on('error', (error) => reject(connectionError(endpoint, error)));
  req.on('upgrade', (res: IncomingMessage, socket: Socket, head: Buffer) => {
    if (head.length > 0) socket.unshift(head);
    const type = res.headers['content-type'];
    const known = type === 'application/vnd.docker.multiplexed-stream' ? true : undefined;
    resolve({ socket, multiplexed: known });
  });
  req.on('response', (res) => {
    const status = res.statusCode ?? 500;
    const fail = (body: string) =>
      reject(status >= 400 ? daemonError(status, body) : internal(`unable to upgrade to tcp, received ${status}`));
    if (status >= 400) readText(res).then(fail, reject);
    else {
      res.destroy();
      fail('');
    }
  });
  return promise;
}
