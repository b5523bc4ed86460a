import type { Credentials } from '../spec/auth-config.ts';
import { invalid } from '../util/errors.ts';
import { Connection, type Retries } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { OFFICIAL } from './registries.ts';
import { RegistryError } from './registry-error.ts';
import { Unreachable } from './unreachable.ts';

/** The registry that a client's `serveraddress` means: a host, or an address with scheme and path as in older files. @throws `invalid`. */
export function registryOfAddress(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  // It becomes a part of addresses and of file names.
  if (!/^([\w.-]*\w|\[[\da-f:.]+\]|)(:\d+)?$/i.test(host) || !URL.canParse(`https://${host === '' ? OFFICIAL : host}`))
    throw invalid(`invalid registry address "${address}"`);
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? OFFICIAL : host;
}

/**
 * Finds out whether credentials are right.
 *
 * @returns an identity token, to be used instead of the password, where the registry gives one; else `''`.
 * @throws `RegistryError` of 401 when they are not; `Unreachable`.
 */
export async function login(
  endpoints: readonly Endpoint[],
  credentials: Credentials,
  retries: Retries,
  signal: AbortSignal,
): Promise<string> {
  let failure: unknown = new Unreachable('no server is configured for this registry', false);
  for (const endpoint of endpoints.filter(({ own }) => own)) {
    using connection = new Connection(endpoint, credentials, retries);
    try {
      return await connection.login(signal);
    } catch (error) {
      failure = refused(error, endpoint);
      if (!(error instanceof Unreachable)) break;
    }
  }
  throw failure instanceof RegistryError && failure.status === 401
    ? new RegistryError(401, 'UNAUTHORIZED', failure.message)
    : failure;
}

/** In Docker's words: why does not matter to whoever mistyped a password. */
function refused(error: unknown, { base }: Endpoint): unknown {
  if (!(error instanceof RegistryError) || error.status !== 401) return error;
  return new RegistryError(401, 'UNAUTHORIZED', `login attempt to ${base}/ failed with status: 401 Unauthorized`);
}
