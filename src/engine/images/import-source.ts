import type { IncomingMessage } from 'node:http';
import { readLimited } from '../../remote/read-limited.ts';
import { openSender, type Sender } from '../../remote/send.ts';
import { asInternal, unreachable } from '../../remote/unreachable.ts';
import { forbidden, internal, invalid, notFound, unauthorized } from '../../util/errors.ts';

/** A file on some server, being fetched. */
export interface RemoteFile extends Disposable {
  /** Its bytes, once. @throws `internal` when they break off. */
  pieces(): AsyncIterable<Uint8Array>;
  /** Bytes, when the server tells. */
  readonly size: number | undefined;
}

const REDIRECT_LIMIT = 10;
/** Of what a server says when it refuses. */
const WORDS_LIMIT = 64 * 1024;

/** The address of an import; without a scheme it is HTTP's. @throws `invalid`. */
export function sourceAddress(text: string): URL {
  const address = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(address)) throw invalid(`parse ${JSON.stringify(address)}: invalid URL`);
  return new URL(address);
}

/** Begins to fetch what is at an address. @throws `not-found`, `unauthorized`, `forbidden`, `invalid`, `internal` in Docker's words. */
export async function openRemoteFile(address: URL, signal: AbortSignal): Promise<RemoteFile> {
  using undo = new DisposableStack();
  const sender = undo.use(openSender({ ca: [], verify: true }));
  const answer = await follow(sender, address, signal);
  if ((answer.statusCode ?? 0) >= 400) throw await refusal(address, answer);
  const size = Number(answer.headers['content-length'] ?? Number.NaN);
  const open = undo.move();
  return {
    pieces: () => piecesOf(answer, address),
    size: Number.isNaN(size) ? undefined : size,
    [Symbol.dispose]: () => {
      answer.destroy();
      open.dispose();
    },
  };
}

async function* piecesOf(answer: IncomingMessage, address: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw asInternal(unreachable(error, `reading ${JSON.stringify(address.href)}`, address));
  }
}

async function follow(sender: Sender, address: URL, signal: AbortSignal): Promise<IncomingMessage> {
  let url = address;
  for (let hop = 0; hop <= REDIRECT_LIMIT; hop++) {
    if (!/^https?:$/.test(url.protocol)) {
      const scheme = url.protocol.slice(0, -1);
      throw internal(`Get ${JSON.stringify(address.href)}: unsupported protocol scheme ${JSON.stringify(scheme)}`);
    }
    const answer = await send(sender, url, signal);
    const { location } = answer.headers;
    const status = answer.statusCode ?? 0;
    if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, url.href)) return answer;
    answer.destroy();
    url = new URL(location, url.href);
  }
  throw internal(`Get ${JSON.stringify(address.href)}: stopped after ${REDIRECT_LIMIT} redirects`);
}

async function send(sender: Sender, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await sender.send({ method: 'GET', url, headers: { 'user-agent': 'gantry' }, signal });
  } catch (error) {
    throw asInternal(error);
  }
}

const REFUSALS: Readonly<Record<number, (message: string) => Error>> = {
  400: invalid,
  401: unauthorized,
  403: forbidden,
  404: notFound,
};

/** Source for the words: moby `builder/remotecontext/remote.go`. */
async function refusal(address: URL, answer: IncomingMessage): Promise<Error> {
  const { statusCode = 0, statusMessage = '' } = answer;
  const words = await readLimited(answer, WORDS_LIMIT).catch(() => Buffer.from('error reading body'));
  const message = `failed to GET ${address.href} with status ${statusCode} ${statusMessage}: ${words.toString().trim()}`;
  return (REFUSALS[statusCode] ?? internal)(message);
}
