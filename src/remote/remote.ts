import type { Credentials } from '../spec/auth-config.ts';
import { kindOf } from '../util/errors.ts';
import { Connection, type Retries } from './connection.ts';
import type { Capability } from './endpoint.ts';
import { login, registryOfAddress } from './login.ts';
import { PushRepository } from './push-repository.ts';
import { endpointsOf, type RegistrySettings, splitName } from './registries.ts';
import { RegistryError } from './registry-error.ts';
import { Repository } from './repository.ts';
import { type FoundRepository, type SearchRequest, searchRegistry, splitTerm } from './search.ts';
import { Unreachable } from './unreachable.ts';

/** As often as Docker, but sooner. */
const RETRIES: Retries = { attempts: 5, pause: 500 };

/** The servers that may have a repository, in the order to ask them. To be disposed of with the call it serves. */
export class Repositories implements Disposable {
  readonly #all: readonly Repository[];
  /** Those that could not be reached, which are not asked again. */
  readonly #lost = new Set<Repository>();

  constructor(all: readonly Repository[]) {
    this.#all = all;
  }

  /** Those that may be asked for content by its digest. */
  get sources(): readonly Repository[] {
    return this.#having('pull');
  }

  /**
   * The answer of the first server that gives one. A mirror that cannot is passed over; the registry's own word is final, unless it could not be
   * reached.
   *
   * @throws what the last one said.
   */
  async first<T>(capability: Capability, ask: (repository: Repository) => Promise<T>): Promise<T> {
    let failure: unknown = new Unreachable('no server is configured for this registry', false);
    for (const repository of this.#having(capability)) {
      try {
        return await ask(repository);
      } catch (error) {
        // What a server says, or that it does not say what was asked for.
        const answered = error instanceof RegistryError || kindOf(error) === 'invalid';
        if (!answered && !(error instanceof Unreachable)) throw error;
        failure = error;
        if (!answered) this.#lost.add(repository);
        else if (repository.connection.endpoint.own) break;
      }
    }
    throw failure;
  }

  /** The registry itself, for writing, once it has been found. @throws `Unreachable`. */
  async forPush(signal: AbortSignal): Promise<PushRepository> {
    return await this.first('push', async ({ connection, path }) => {
      await connection.ping(signal);
      return new PushRepository(connection, path);
    });
  }

  #having(capability: Capability): Repository[] {
    const able = this.#all.filter(({ connection }) => connection.endpoint.capabilities.has(capability));
    const left = able.filter((repository) => !this.#lost.has(repository));
    return left.length > 0 ? left : able;
  }

  [Symbol.dispose](): void {
    for (const { connection } of this.#all) connection[Symbol.dispose]();
  }
}

/** What leads to registries. */
export interface Remote {
  /**
   * @param name full, `docker.io/library/busybox`.
   * @param credentials of the user at the registry itself.
   * @throws `invalid` for a broken configuration.
   */
  open(name: string, credentials: Credentials | undefined): Promise<Repositories>;
  /**
   * Finds out whether credentials are right. Gives an identity token to be used instead of them, `''` where there is none.
   *
   * @param address of a registry, as clients tell it; empty is the official one.
   * @throws `RegistryError`, `Unreachable`; `invalid` for a broken configuration.
   */
  login(address: string, credentials: Credentials, signal: AbortSignal): Promise<string>;
  /**
   * @param term words, behind the host of a registry if not of the official one.
   * @throws `RegistryError`, `Unreachable`; `invalid` for a term that is an address, or a broken configuration.
   */
  search(term: string, request: Omit<SearchRequest, 'words'>): Promise<FoundRepository[]>;
}

/** @param settings asked for at each use, as they may change. */
export function openRemote(settings: () => RegistrySettings, retries: Retries = RETRIES): Remote {
  return {
    login: async (address, credentials, signal) =>
      await login(await endpointsOf(settings(), registryOfAddress(address)), credentials, retries, signal),
    search: async (term, request) => {
      const { registry, words } = splitTerm(term);
      return await searchRegistry(await endpointsOf(settings(), registry), registry, { ...request, words });
    },
    open: async (name, credentials) => {
      const { registry, path } = splitName(name);
      const endpoints = await endpointsOf(settings(), registry);
      return new Repositories(
        endpoints.map((endpoint) => new Repository(new Connection(endpoint, credentials, retries), path)),
      );
    },
  };
}
