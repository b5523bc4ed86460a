import { invalid } from '../util/errors.ts';

/** The newest and oldest API the daemon speaks; only the part after `1.` varies. */
export const NEWEST_API = 51;
export const OLDEST_API = 24;

export const apiName = (minor: number): string => `1.${minor}`;

/**
 * The minor version a request speaks; without a prefix the newest.
 *
 * @throws `invalid` in Docker's words when it is out of range.
 */
export function negotiateVersion(prefix: string | undefined): number {
  if (prefix === undefined) return NEWEST_API;
  const [major = 0, minor = 0] = prefix.split('.').map(Number);
  if (major > 1 || (major === 1 && minor > NEWEST_API)) {
    throw invalid(`client version ${prefix} is too new. Maximum supported API version is ${apiName(NEWEST_API)}`);
  }
  if (major < 1 || minor < OLDEST_API || Number.isNaN(minor)) {
    throw invalid(
      `client version ${prefix} is too old. Minimum supported API version is ${apiName(OLDEST_API)}, please upgrade your client to a newer version`,
    );
  }
  return minor;
}

/** Splits `/v1.41/containers/json` into its version text and the path behind it. */
export function splitVersion(path: string): { prefix: string | undefined; path: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(path);
  return match ? { prefix: match[1], path: match[2] ?? '/' } : { prefix: undefined, path };
}
