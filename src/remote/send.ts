import { once } from 'node:events';
import { type AgentOptions, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import type { TlsSettings } from './endpoint.ts';
import { isAskedDirectly } from './no-proxy.ts';
import { unreachable } from './unreachable.ts';

/** How long a server may be silent until it is given up, in milliseconds. */
export interface Patience {
  readonly silence: number;
  /** After something was sent to be kept: a server may have gigabytes to check and to move before it answers. */
  readonly commit: number;
}

const PATIENCE: Patience = { silence: 60_000, commit: 10 * 60_000 };

export interface Message {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes, or a stream of them, whose length the headers tell. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal;
}

/** Sends requests over connections that it keeps open for the next one. */
export interface Sender extends Disposable {
  /** The answer when its head is there; its body is to be read or destroyed. @throws `Unreachable`, or the signal's reason. */
  send(message: Message): Promise<IncomingMessage>;
}

/** Connections by the settings of one server. The proxies of the environment (`HTTPS_PROXY`, …) are used, but for what is asked directly. */
export function openSender(
  tls: TlsSettings,
  { patience = PATIENCE, env = process.env }: { patience?: Patience; env?: NodeJS.ProcessEnv } = {},
): Sender {
  const direct = openAgents(tls, { timeout: patience.silence });
  // Which servers need none is told by our own rules, so Node's are to find nothing.
  const { NO_PROXY: _upper, no_proxy: _lower, ...proxyEnv } = env;
  const proxied = openAgents(tls, { timeout: patience.silence, proxyEnv });
  return {
    send: (message) => {
      const { url, method } = message;
      const { plain, secure } = isAskedDirectly(url, env) ? direct : proxied;
      const silence = method === 'PUT' ? patience.commit : patience.silence;
      return sendOne(message, url.protocol === 'http:' ? plain : secure, silence);
    },
    [Symbol.dispose]: () => {
      for (const { plain, secure } of [direct, proxied]) {
        plain.destroy();
        secure.destroy();
      }
    },
  };
}

function openAgents({ ca, cert, key, verify }: TlsSettings, options: AgentOptions) {
  const common = { keepAlive: true, ...options };
  return {
    plain: new HttpAgent(common),
    secure: new HttpsAgent({
      ...common,
      rejectUnauthorized: verify,
      ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
      ...(cert === undefined ? {} : { cert, key }),
    }),
  };
}

async function sendOne(
  { method, url, headers, body, signal }: Message,
  agent: HttpAgent,
  silence: number,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const request = url.protocol === 'http:' ? requestHttp : requestHttps;
  const sent = request(url, { method, headers, agent, signal });
  sent.setTimeout(silence, () => sent.destroy(new Error('timeout awaiting response headers')));
  // After the answer has begun its reader is told what goes wrong.
  sent.on('error', () => {});
  try {
    const answered = once(sent, 'response');
    if (body === undefined || body instanceof Uint8Array) sent.end(body);
    else pipeline(Readable.from(body, { objectMode: false }), sent).catch(() => {});
    const [answer] = (await answered) as [IncomingMessage];
    return answer;
  } catch (error) {
    sent.destroy();
    signal.throwIfAborted();
    throw unreachable(error, `${method[0]}${method.slice(1).toLowerCase()} "${url.href}"`, url);
  }
}
