import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLog } from '../util/log.ts';
import { type FakeEngine, fakeEngine } from './fake-engine.ts';
import { createApi } from './server.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  json: unknown;
}

export interface ApiFixture extends AsyncDisposable {
  readonly engine: FakeEngine;
  readonly path: string;
  call(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Writes bytes to a fresh connection, further `parts` 50 ms apart, half-closes, and gives all that comes back. */
  raw(...parts: string[]): Promise<string>;
  close(): Promise<void>;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The API over a fake engine on a unix socket of its own. */
export async function openFixture(): Promise<ApiFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-api-'));
  const path = join(dir, 'api.sock');
  const engine = fakeEngine();
  const api = createApi({ engine, log: silentLog(), version: { version: '1.2.3' } });
  await api.listen({ path });
  const call: ApiFixture['call'] = async (method, url, body, headers = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const isText = typeof body === 'string';
    const type = body === undefined || isText ? {} : { 'Content-Type': 'application/json' };
    const req = request({ socketPath: path, method, path: url, agent: false, headers: { ...type, ...headers } });
    req.on('error', reject).on('response', (res) => {
      const answer = (got: string) => ({
        status: res.statusCode ?? 0,
        headers: res.headers,
        body: got,
        json: parse(got),
      });
      text(res).then((got) => resolve(answer(got)), reject);
    });
    req.end(isText ? body : body === undefined ? undefined : JSON.stringify(body));
    return promise;
  };
  const raw: ApiFixture['raw'] = async (...parts) => {
    const socket = connect({ path, allowHalfOpen: true });
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    socket.end();
    return text(socket);
  };
  const close = async () => {
    await api.close();
    await rm(dir, { recursive: true });
  };
  return { engine, path, call, raw, close, [Symbol.asyncDispose]: close };
}
