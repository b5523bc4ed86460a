import * as v from 'valibot';
import { text } from './json.ts';

/** Who asks a registry. Lives as long as one call; never stored or logged. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** A refresh token, instead of a password. */
  readonly identityToken: string;
  /** Sent as it is. */
  readonly registryToken: string;
}

/** Docker's `AuthConfig`. */
export const AuthConfigSchema = v.object({
  username: text(),
  password: text(),
  auth: text(),
  serveraddress: text(),
  identitytoken: text(),
  registrytoken: text(),
});
export type AuthConfig = v.InferOutput<typeof AuthConfigSchema>;

export function credentialsOf({ username, password, auth, identitytoken, registrytoken }: AuthConfig): Credentials {
  const pair = username === '' && auth !== '' ? pairOf(auth) : { username, password };
  return { ...pair, identityToken: identitytoken, registryToken: registrytoken };
}

/** `auth` holds name and password together, as in the client's own file. */
function pairOf(auth: string): { username: string; password: string } {
  const plain = Buffer.from(auth, 'base64').toString('utf8');
  const at = plain.indexOf(':');
  if (at < 0) return { username: '', password: '' };
  return { username: plain.slice(0, at), password: plain.slice(at + 1).replace(/\0+$/, '') };
}
