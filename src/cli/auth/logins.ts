import { readConfigFile, writeConfigFile } from './config-file.ts';
import { CredentialHelper } from './credential-helper.ts';

/** What the engine is told of a user, Docker's `AuthConfig`. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/** The official registry's name among logins. */
export const INDEX_SERVER = 'https://index.docker.io/v1/';
const TOKEN = '<token>';

/** The key of a login by the name of an image as people write it. */
export function serverOf(imageName: string): string {
  const [domain] = /^(?:localhost|[^/]*[.:][^/]*|\[[^/]*\](?::\d+)?)(?=\/)/.exec(imageName) ?? [];
  return domain === undefined ? INDEX_SERVER : keyOf(domain);
}

/** The key of a login by the address that was typed: a host without scheme and path. */
export function keyOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? INDEX_SERVER : host;
}

/** The login for a server, of the helper that keeps it or of the file itself; undefined when there is none. */
export async function readLogin(dir: string, server: string): Promise<AuthConfig | undefined> {
  const file = await readConfigFile(dir);
  const helper = helperFor(file, server);
  if (helper !== undefined) {
    const secret = await helper.get(server);
    if (secret === undefined) return undefined;
    const { Username: username, Secret: password } = secret;
    return username === TOKEN
      ? { identitytoken: password, serveraddress: server }
      : { username, password, serveraddress: server };
  }
  const [, login] = Object.entries(file.auths).find(([key]) => keyOf(key) === server) ?? [];
  if (login === undefined) return undefined;
  const plain = Buffer.from(login.auth ?? '', 'base64').toString('utf8');
  const at = plain.indexOf(':');
  const pair = at < 0 ? {} : { username: plain.slice(0, at), password: plain.slice(at + 1) };
  const tokens = {
    ...(login.identitytoken ? { identitytoken: login.identitytoken } : {}),
    ...(login.registrytoken ? { registrytoken: login.registrytoken } : {}),
  };
  return { ...pair, ...tokens, serveraddress: server };
}

/** Keeps a login. @returns whether it now lies unencrypted in the file. */
export async function keepLogin(dir: string, login: AuthConfig): Promise<boolean> {
  const { serveraddress: server, username = '', password = '', identitytoken = '' } = login;
  const file = await readConfigFile(dir);
  const helper = helperFor(file, server);
  if (helper !== undefined) {
    await helper.store(
      server,
      identitytoken === '' ? { Username: username, Secret: password } : { Username: TOKEN, Secret: identitytoken },
    );
    await writeConfigFile(dir, { ...file, auths: { ...file.auths, [server]: {} } });
    return false;
  }
  // With a token the password is not needed any more.
  const auth = Buffer.from(`${username}:${identitytoken === '' ? password : ''}`).toString('base64');
  const entry = identitytoken === '' ? { auth } : { auth, identitytoken };
  await writeConfigFile(dir, { ...file, auths: { ...file.auths, [server]: entry } });
  return true;
}

/** Forgets a login, if there is one. */
export async function forgetLogin(dir: string, server: string): Promise<void> {
  const file = await readConfigFile(dir);
  const keys = Object.keys(file.auths).filter((key) => keyOf(key) === server);
  await helperFor(file, server)?.erase(server);
  if (keys.length === 0) return;
  const auths = Object.fromEntries(Object.entries(file.auths).filter(([key]) => !keys.includes(key)));
  await writeConfigFile(dir, { ...file, auths });
}

function helperFor(
  { credsStore, credHelpers }: Awaited<ReturnType<typeof readConfigFile>>,
  server: string,
): CredentialHelper | undefined {
  const name = credHelpers[server] ?? credsStore;
  return name === '' ? undefined : new CredentialHelper(name);
}

/** The value of `X-Registry-Auth`: base64url of JSON, of an empty object where nobody is logged in. */
export async function authHeader(dir: string, imageName: string): Promise<string> {
  const login = await readLogin(dir, serverOf(imageName));
  return Buffer.from(JSON.stringify(login ?? {})).toString('base64url');
}
