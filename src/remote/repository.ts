import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { JSON_LIMIT, mediaTypes } from '../spec/manifest.ts';
import { digestOf, isDigest } from '../util/digest.ts';
import { invalid } from '../util/errors.ts';
import type { Connection, RegistryRequest } from './connection.ts';
import { parseJson, RegistryError } from './registry-error.ts';

/** A manifest or index as a registry gave it. */
export interface RemoteManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string;
}

const ACCEPT = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  // So that what is too old is told apart from what is not there.
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
].join(', ');

/** More than a repository has: a list that goes on is a trap. */
const TAG_LIMIT = 100_000;

const TagsSchema = v.looseObject({ tags: v.optional(v.nullable(v.array(v.string()))) });

/** One repository on one server, for reading. Source: the OCI distribution specification. */
export class Repository {
  readonly connection: Connection;
  /** `library/busybox` */
  readonly path: string;
  readonly #scopes: readonly string[];

  constructor(connection: Connection, path: string) {
    this.connection = connection;
    this.path = path;
    this.#scopes = [`repository:${path}:pull`];
  }

  /**
   * @param reference a tag or a digest, which is checked.
   * @throws `invalid` for another content than asked for; `RegistryError`, `Unreachable`.
   */
  async manifest(reference: string, signal: AbortSignal): Promise<RemoteManifest> {
    const { answer, bytes } = await this.#document(`manifests/${reference}`, { accept: ACCEPT }, signal);
    const digest = digestOf(bytes);
    if (isDigest(reference) && reference !== digest)
      throw invalid(`manifest verification failed for digest ${reference}`);
    return { bytes, digest, mediaType: mediaTypeOf(answer) };
  }

  /**
   * The digest a tag has now, without its manifest; undefined when the server does not tell it so: why, it tells who asks for the manifest.
   *
   * @throws `RegistryError` of 401, or of what may pass; `Unreachable`.
   */
  async digest(tag: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.connection.request({
      ...this.#request(`manifests/${tag}`, { accept: ACCEPT }, signal),
      method: 'HEAD',
      accept: [200, 400, 403, 404, 405],
    });
    answer.resume();
    if (answer.statusCode !== 200) return undefined;
    const told = answer.headers['docker-content-digest'];
    return typeof told === 'string' && isDigest(told) ? told : undefined;
  }

  /** The bytes of a blob from `offset` on; the answer's status says whether the server did begin there (206) or at its start (200). */
  blob(digest: string, offset: number, signal: AbortSignal): Promise<IncomingMessage> {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    return this.connection.request({ ...this.#request(`blobs/${digest}`, headers, signal), accept: [200, 206] });
  }

  /** A small blob, a config, whole and checked. @throws `invalid`, `RegistryError`, `Unreachable`. */
  async json(digest: string, signal: AbortSignal): Promise<Buffer> {
    const { bytes } = await this.#document(`blobs/${digest}`, {}, signal);
    if (digestOf(bytes) !== digest) throw invalid(`image config verification failed for digest ${digest}`);
    return bytes;
  }

  /** All tags, page by page. @throws `RegistryError`, also for a list that has no end; `Unreachable`. */
  async *tags(signal: AbortSignal): AsyncGenerator<string> {
    let left = TAG_LIMIT;
    for (let path: string | undefined = `/${this.path}/tags/list?n=1000`; path !== undefined; ) {
      const request: RegistryRequest = { ...this.#request('', {}, signal), path };
      const page = await this.connection.document(request, JSON_LIMIT);
      const parsed = v.safeParse(TagsSchema, parseJson(page.bytes.toString('utf8')));
      if (!parsed.success) throw new RegistryError(200, '', 'the registry’s list of tags is not one');
      const tags = parsed.output.tags ?? [];
      // Pages without any count, too.
      left -= Math.max(tags.length, 1);
      if (left < 0) throw new RegistryError(200, '', `the registry’s list of tags has more than ${TAG_LIMIT}`);
      yield* tags;
      path = nextPage(page.answer, this.connection.address(path));
    }
  }

  #document(
    rest: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ answer: IncomingMessage; bytes: Buffer }> {
    return this.connection.document(this.#request(rest, headers, signal), JSON_LIMIT);
  }

  #request(rest: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): RegistryRequest {
    return { method: 'GET', path: `/${this.path}/${rest}`, headers, scopes: this.#scopes, signal, accept: [200] };
  }
}

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
}

/** Source: the distribution specification, "Listing Tags": a `Link` with `rel="next"`. */
function nextPage({ headers }: IncomingMessage, current: URL): string | undefined {
  const link = [headers.link].flat()[0];
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '') ?? [];
  if (target === undefined || !URL.canParse(target, current.href)) return undefined;
  const next = new URL(target, current.href);
  // A server that sends us elsewhere, or round in circles, is not followed.
  return next.origin === current.origin && next.href !== current.href ? next.href : undefined;
}
