import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { AuthConfigSchema, type Credentials, credentialsOf } from '../spec/auth-config.ts';

/** What `X-Registry-Auth` says, base64url of JSON; undefined when it is absent or, as with Docker, cannot be read. */
export function readRegistryAuth({ headers }: IncomingMessage): Credentials | undefined {
  const text = headers['x-registry-auth'];
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const parsed = v.safeParse(AuthConfigSchema, JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return parsed.success ? credentialsOf(parsed.output) : undefined;
  } catch {
    return undefined;
  }
}
