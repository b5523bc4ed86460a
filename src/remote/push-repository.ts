import type { IncomingMessage } from 'node:http';
import { digestOf } from '../util/digest.ts';
import type { Connection, RegistryRequest } from './connection.ts';
import { RegistryError } from './registry-error.ts';

/** A blob to be sent. */
export interface SentBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes, anew for each try. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** One repository on one server, for writing. Source: the OCI distribution specification, "Push". */
export class PushRepository {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #scope: string;

  constructor(connection: Connection, path: string) {
    this.#connection = connection;
    this.#path = path;
    this.#scope = `repository:${path}:pull,push`;
  }

  /** @throws `RegistryError`, `Unreachable`. */
  async has(digest: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#connection.request(
      this.#request('HEAD', `/${this.#path}/blobs/${digest}`, signal, { accept: [200, 404] }),
    );
    answer.resume();
    return answer.statusCode === 200;
  }

  /**
   * Puts a blob there, without sending it where the server can take it from another of its repositories.
   *
   * @param from the path of that repository, if one is known.
   * @returns whether it came from there.
   * @throws `RegistryError`, `Unreachable`.
   */
  async upload(blob: SentBlob, from: string | undefined, signal: AbortSignal): Promise<boolean> {
    // One that broke off cannot be told from the start again: the server knows how far it had come.
    return await this.#connection.retried(() => this.#uploadOnce(blob, from, signal), signal);
  }

  async #uploadOnce(blob: SentBlob, from: string | undefined, signal: AbortSignal): Promise<boolean> {
    const query =
      from === undefined ? '' : `?mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(from)}`;
    const scopes = from === undefined ? [] : [`repository:${from}:pull`];
    const begun = await this.#connection.requestOnce(
      this.#request('POST', `/${this.#path}/blobs/uploads/${query}`, signal, { accept: [201, 202], scopes }),
    );
    begun.resume();
    if (begun.statusCode === 201) return true;
    const done = await this.#connection.requestOnce(
      this.#request('PUT', this.#target(begun, blob.digest), signal, {
        accept: [201],
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
        body: blob.open,
        scopes,
      }),
    );
    done.resume();
    return false;
  }

  /** @throws `RegistryError`, `Unreachable`. */
  async putManifest(tag: string, mediaType: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const answer = await this.#connection.request(
      this.#request('PUT', `/${this.#path}/manifests/${tag}`, signal, {
        accept: [201, 200, 202],
        headers: { 'content-type': mediaType, 'content-length': String(bytes.byteLength) },
        body: () => bytes,
      }),
    );
    answer.resume();
    const told = answer.headers['docker-content-digest'];
    if (typeof told === 'string' && told !== digestOf(bytes))
      throw new RegistryError(201, '', `the registry made ${told} of manifest ${digestOf(bytes)}`);
  }

  /** Where the server wants the bytes. */
  #target({ headers }: IncomingMessage, digest: string): string {
    const base = this.#connection.address(`/${this.#path}/blobs/uploads/`);
    const location = headers.location ?? '';
    if (!URL.canParse(location, base.href))
      throw new RegistryError(202, '', 'the registry does not say where to upload to');
    const url = new URL(location, base.href);
    url.searchParams.set('digest', digest);
    return url.href;
  }

  #request(
    method: 'HEAD' | 'POST' | 'PUT',
    path: string,
    signal: AbortSignal,
    options: {
      accept: readonly number[];
      headers?: Record<string, string>;
      body?: () => Uint8Array | AsyncIterable<Uint8Array>;
      scopes?: readonly string[];
    },
  ): RegistryRequest {
    const { scopes = [], ...rest } = options;
    return { method, path, signal, ...rest, scopes: [this.#scope, ...scopes] };
  }
}
