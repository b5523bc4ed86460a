import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '../spec/auth-config.ts';
import { kindOf } from '../util/errors.ts';
import { Authorizer } from './authorizer.ts';
import type { Endpoint } from './endpoint.ts';
import { readLimited } from './read-limited.ts';
import { RegistryError, registryError } from './registry-error.ts';
import { openSender, type Sender } from './send.ts';
import { Unreachable, unreachable } from './unreachable.ts';

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the endpoint's base, `/library/busybox/tags/list`, or a whole address that the server gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A new body for each try. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  /** What a token must allow, `repository:library/busybox:pull`. */
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
  /** Statuses that are an answer and no error. */
  readonly accept: readonly number[];
}

/** How often, and how soon, what did not work is tried again. */
export interface Retries {
  readonly attempts: number;
  /** Milliseconds before the second try; doubled for each further one. */
  readonly pause: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECT_LIMIT = 10;
/** Answers that a moment later may be others. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** No server makes us wait longer than this. */
const LONGEST_PAUSE_MS = 60_000;
const USER_AGENT = 'gantry';

/** Requests to one server, authorized as it asks for, redirected, and tried again while the trouble may pass. */
export class Connection implements Disposable {
  readonly endpoint: Endpoint;
  readonly retries: Retries;
  readonly #sender: Sender;
  readonly #authorizer: Authorizer;

  constructor(endpoint: Endpoint, credentials: Credentials | undefined, retries: Retries) {
    this.endpoint = endpoint;
    this.retries = retries;
    this.#sender = openSender(endpoint.tls);
    const insecure = endpoint.base.startsWith('http:') || !endpoint.tls.verify;
    this.#authorizer = new Authorizer(this.#sender, endpoint.own ? credentials : undefined, insecure);
  }

  /** The answer when its head is there. @throws `RegistryError`, `Unreachable`, or the signal's reason. */
  async request(request: RegistryRequest): Promise<IncomingMessage> {
    return await this.retried(() => this.requestOnce(request), request.signal);
  }

  /** The same without a second try. */
  async requestOnce(request: RegistryRequest): Promise<IncomingMessage> {
    const answer = await this.#authorized(request);
    if (request.accept.includes(answer.statusCode ?? 0)) return answer;
    throw await registryError(answer);
  }

  /** A whole answer; one that breaks off is asked for again. @throws as `request`; `invalid` when it has more bytes than `limit`. */
  async document(request: RegistryRequest, limit: number): Promise<{ answer: IncomingMessage; bytes: Buffer }> {
    return await this.retried(async () => {
      const answer = await this.requestOnce(request);
      try {
        return { answer, bytes: await readLimited(answer, limit) };
      } catch (error) {
        request.signal.throwIfAborted();
        if (kindOf(error) === 'invalid') throw error;
        const url = this.address(request.path);
        throw unreachable(error, `reading "${url.href}"`, url);
      }
    }, request.signal);
  }

  /** Work with this server, begun again while its trouble may pass. */
  async retried<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt >= this.retries.attempts || !mayPass(error)) throw error;
        await sleep(pauseBefore(attempt, error, this.retries), undefined, { signal });
      }
    }
  }

  /** Finds out whether anybody is there; any answer will do. @throws `Unreachable`. */
  async ping(signal: AbortSignal): Promise<void> {
    const url = this.address('/');
    const answer = await this.#send({ method: 'GET', path: '/', scopes: [], signal, accept: [] }, url, true);
    answer.resume();
  }

  /** Proves who asks, and says nothing more. @returns an identity token if the server gives one, else `''`. @throws as `request`. */
  async login(signal: AbortSignal): Promise<string> {
    const answer = await this.request({ method: 'GET', path: '/', scopes: [], signal, accept: [200] });
    answer.resume();
    return await this.#authorizer.identityToken(signal);
  }

  /** The address of something below the base, or of what a server's `Location` says. */
  address(path: string): URL {
    const { base, namespace } = this.endpoint;
    if (/^https?:\/\//.test(path)) return new URL(path);
    const url = new URL(`${base}${path}`);
    if (namespace !== undefined) url.searchParams.set('ns', namespace);
    return url;
  }

  async #authorized(request: RegistryRequest): Promise<IncomingMessage> {
    const { answer, own } = await this.#followed(request);
    // Who is behind a redirect may not ask for what is the server's alone, nor name whom it is to be told.
    if (answer.statusCode !== 401 || !own) return answer;
    if (!(await this.#authorizer.answer(answer, request.scopes, request.signal))) return answer;
    answer.destroy();
    return (await this.#followed(request)).answer;
  }

  /** Reading requests follow redirects; what is secret is told to nobody but the server itself. `own`: the answer is that server's. */
  async #followed(request: RegistryRequest): Promise<{ answer: IncomingMessage; own: boolean }> {
    const start = this.address(request.path);
    const origin = new URL(this.endpoint.base).origin;
    let url = start;
    for (let hop = 0; hop <= REDIRECT_LIMIT; hop++) {
      const own = url.origin === origin;
      const answer = await this.#send(request, url, own);
      const { location } = answer.headers;
      const reading = request.method === 'GET' || request.method === 'HEAD';
      if (!reading || !REDIRECTS.has(answer.statusCode ?? 0) || location === undefined) return { answer, own };
      answer.destroy();
      url = redirected(location, url);
    }
    throw new RegistryError(0, '', `Get "${start.href}": stopped after ${REDIRECT_LIMIT} redirects`);
  }

  #send(request: RegistryRequest, url: URL, own: boolean): Promise<IncomingMessage> {
    const authorization = own ? this.#authorizer.header(request.scopes) : undefined;
    return this.#sender.send({
      method: request.method,
      url,
      headers: {
        'user-agent': USER_AGENT,
        ...request.headers,
        ...(own ? this.endpoint.headers : {}),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: request.body?.(),
      signal: request.signal,
    });
  }

  [Symbol.dispose](): void {
    this.#sender[Symbol.dispose]();
  }
}

function redirected(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new RegistryError(0, '', `invalid redirect to ${JSON.stringify(location)}`);
  return url;
}

/** Whether the next try may go better. */
export function mayPass(error: unknown): boolean {
  if (error instanceof RegistryError) return PASSING.has(error.status);
  return error instanceof Unreachable && error.passing;
}

/** Milliseconds until the try after `attempt`: what the server said, else twice as long each time. */
export function pauseBefore(attempt: number, error: unknown, { pause }: Retries): number {
  const told = error instanceof RegistryError ? error.pause : undefined;
  return Math.min(told ?? pause * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
}
