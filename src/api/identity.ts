import { apiName, NEWEST_API } from './api-version.ts';

/** What the API says of the program behind it. */
export interface ApiIdentity {
  /** The engine's version, as in `Server: Docker/<version> (linux)`. */
  readonly version: string;
}

/** Headers of every answer to a known endpoint. */
export function identityHeaders({ version }: ApiIdentity): [string, string][] {
  return [
    ['Api-Version', apiName(NEWEST_API)],
    ['Docker-Experimental', 'false'],
    ['Ostype', 'linux'],
    ['Server', `Docker/${version} (linux)`],
  ];
}
