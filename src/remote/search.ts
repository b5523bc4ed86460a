import * as v from 'valibot';
import type { Credentials } from '../spec/auth-config.ts';
import { flag, int, text } from '../spec/json.ts';
import { invalid } from '../util/errors.ts';
import { Connection, type Retries } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { OFFICIAL } from './registries.ts';
import { parseJson, RegistryError } from './registry-error.ts';
import { Unreachable } from './unreachable.ts';

/** What a registry's index tells of a repository. */
export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

export interface SearchRequest {
  readonly words: string;
  /** How many at most. */
  readonly limit: number;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
}

/** Who searches among the images of the official registry. */
const OFFICIAL_INDEX = 'index.docker.io';
const ANSWER_LIMIT = 4 * 1024 * 1024;
const ONCE: Retries = { attempts: 1, pause: 0 };
/** Source: moby `registry/search.go`. */
const SCOPES = ['registry:catalog:search'];

const AnswerSchema = v.looseObject({
  results: v.optional(
    v.nullable(
      v.array(
        v.object({
          name: text(),
          description: text(),
          star_count: int(),
          is_official: flag(),
          is_automated: flag(),
        }),
      ),
    ),
  ),
});

/** The host that a term begins with, and what is searched there. @throws `invalid` for an address. */
export function splitTerm(term: string): { registry: string; words: string } {
  if (/^https?:\/\//.test(term)) throw invalid('invalid repository name (ex: "registry.domain.tld/myrepos")');
  const slash = term.indexOf('/');
  const host = slash < 0 ? '' : term.slice(0, slash);
  const rest = term.slice(slash + 1);
  if (!/[.:]/.test(host) && host !== 'localhost') return { registry: OFFICIAL, words: withoutLibrary(term) };
  return host === OFFICIAL || host === OFFICIAL_INDEX
    ? { registry: OFFICIAL, words: withoutLibrary(rest) }
    : { registry: host, words: rest };
}

const withoutLibrary = (words: string): string => words.replace(/^library\//, '');

/**
 * Asks a registry by the protocol of its first version, the only one that has a search.
 *
 * @param endpoints of the registry, in the order to try them.
 * @throws `RegistryError`, `Unreachable`.
 */
export async function searchRegistry(
  endpoints: readonly Endpoint[],
  registry: string,
  request: SearchRequest,
): Promise<FoundRepository[]> {
  const failures: Unreachable[] = [];
  for (const endpoint of endpoints.filter(({ own }) => own)) {
    using connection = new Connection(indexOf(endpoint, registry, request.credentials), request.credentials, ONCE);
    try {
      // Docker Hub is there; of others it is to be found out how they can be reached.
      if (registry !== OFFICIAL) await answers(connection, request.signal);
      return await search(connection, request);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      failures.push(error);
    }
  }
  throw failures.length === 0 ? new Unreachable('no server is configured for this registry', false) : told(failures);
}

/** The same server with its first protocol. A name and a password are told at once, as it does not ask. */
function indexOf(endpoint: Endpoint, registry: string, credentials: Credentials | undefined): Endpoint {
  const url = new URL(endpoint.base.replace(/\/v2$/, '/v1'));
  if (registry === OFFICIAL) url.host = OFFICIAL_INDEX;
  return { ...endpoint, base: url.href, headers: { ...endpoint.headers, ...basic(credentials) } };
}

function basic(credentials: Credentials | undefined): Record<string, string> {
  const { username = '', password = '', identityToken = '' } = credentials ?? {};
  if (username === '' || identityToken !== '') return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

async function answers(connection: Connection, signal: AbortSignal): Promise<void> {
  const request = { method: 'GET', path: '/_ping', scopes: [], signal, accept: [] } as const;
  try {
    (await connection.request(request)).resume();
  } catch (error) {
    // Any answer will do.
    if (!(error instanceof RegistryError)) throw error;
  }
}

async function search(connection: Connection, { words, limit, signal }: SearchRequest): Promise<FoundRepository[]> {
  const query = new URLSearchParams({ q: words, n: String(limit) });
  const headers = { 'x-docker-token': 'true' };
  const request = { method: 'GET', headers, scopes: SCOPES, signal, accept: [200] } as const;
  try {
    const { bytes } = await connection.document({ ...request, path: `/search?${query.toString()}` }, ANSWER_LIMIT);
    const parsed = v.safeParse(AnswerSchema, parseJson(bytes.toString('utf8')));
    if (!parsed.success) throw new RegistryError(0, '', 'error decoding registry search results: it is not a list');
    return parsed.output.results ?? [];
  } catch (error) {
    if (!(error instanceof RegistryError) || error.status === 0) throw error;
    throw new RegistryError(error.status, error.code, `Unexpected status code ${error.status}`);
  }
}

/** In Docker's words, which name each attempt. */
function told(failures: readonly Unreachable[]): Unreachable {
  const [first, second] = failures;
  if (first === undefined || second === undefined) return first ?? new Unreachable('no answer', false);
  return new Unreachable(
    `invalid registry endpoint: HTTPS attempt: ${first.message}. HTTP attempt: ${second.message}`,
    false,
    second,
  );
}
