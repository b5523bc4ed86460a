import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, internal, messageOf, unavailable } from '../../../util/errors.ts';
import type { PluginAddress } from './plugin-address.ts';

/** Docker's name for the protocol's version. Source: docs.docker.com, "Docker Plugin API". */
const ACCEPT = 'application/vnd.docker.plugins.v1.2+json';

/** Bytes of an answer: far more than any list of volumes. */
const ANSWER_MAX = 4 << 20;

export interface CallLimits {
  /** Milliseconds an answer may take. */
  readonly timeout: number;
  /** Milliseconds for which one that nobody listens for is sent again: a plugin may be starting anew. */
  readonly patience: number;
}

/**
 * Sends a plugin a message and gives its answer, any JSON.
 *
 * @throws `internal` with what the plugin says; `unavailable` when it says nothing that can be understood, or nothing in time.
 */
export async function callPlugin(
  address: PluginAddress,
  method: string,
  body: object,
  { timeout, patience }: CallLimits,
): Promise<unknown> {
  const until = performance.now() + patience;
  for (let wait = 100; ; wait *= 2) {
    try {
      return answerOf(method, await send(address, method, body, timeout));
    } catch (error) {
      // One that breaks off (ECONNRESET) may have done what it was told.
      const nobody = hasCode(error, 'ECONNREFUSED', 'ENOENT');
      if (!nobody || performance.now() + wait > until) throw asUnavailable(method, error);
    }
    await sleep(wait);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(address: PluginAddress, method: string, body: object, timeout: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const payload = `${JSON.stringify(body)}\n`;
  const headers = { Accept: ACCEPT, 'Content-Type': ACCEPT, 'Content-Length': Buffer.byteLength(payload) };
  // The whole exchange, not each of its pauses.
  const signal = AbortSignal.timeout(timeout);
  const sent = request(
    { ...address, method: 'POST', path: `/${method}`, headers, signal, agent: false },
    (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > ANSWER_MAX) response.destroy(new Error(`an answer of more than ${ANSWER_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    },
  );
  sent.on('error', reject);
  sent.end(payload);
  return promise;
}

function answerOf(method: string, { status, text }: Answer): unknown {
  const said = parse(text);
  const why = errorIn(said);
  if (status !== 200) throw internal(`${method}: ${why === '' ? text.slice(0, 1000) : why}`);
  if (why !== '') throw internal(why);
  if (said === undefined) throw unavailable(`${method}: the plugin's answer is not JSON`);
  return said;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorIn(said: unknown): string {
  if (typeof said !== 'object' || said === null || !('Err' in said)) return '';
  return typeof said.Err === 'string' ? said.Err : '';
}

function asUnavailable(method: string, error: unknown): unknown {
  if (!(error instanceof Error) || 'kind' in error) return error;
  const late = error.name === 'TimeoutError' || error.name === 'AbortError';
  return unavailable(`${method}: ${late ? 'the plugin did not answer in time' : messageOf(error)}`, error);
}
