import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import type { Credentials } from '../spec/auth-config.ts';
import { parseChallenges } from './challenge.ts';
import { readLimited } from './read-limited.ts';
import { parseJson, RegistryError, registryError } from './registry-error.ts';
import type { Sender } from './send.ts';

const TOKEN_LIMIT = 1024 * 1024;
const CLIENT_ID = 'gantry';
/** Seconds that a token lasts which does not say it. Source: the distribution project's token specification. */
const LIFETIME = 60;
/** A token is renewed this long before its end. */
const EARLY_MS = 5_000;

const TokenSchema = v.pipe(
  v.looseObject({
    token: v.optional(v.nullable(v.string())),
    access_token: v.optional(v.nullable(v.string())),
    refresh_token: v.optional(v.nullable(v.string())),
    expires_in: v.optional(v.nullable(v.number())),
  }),
  v.transform((answer) => ({
    token: answer.token || answer.access_token || '',
    refresh: answer.refresh_token ?? '',
    lifetime: Math.max(answer.expires_in ?? LIFETIME, LIFETIME),
  })),
);

export interface Token {
  readonly token: string;
  /** An identity token, when one was asked for and given. */
  readonly refresh: string;
  /** Seconds. */
  readonly lifetime: number;
}

interface Realm {
  readonly url: URL;
  readonly service: string;
}

/**
 * Proves to one server who asks: by name and password, or by tokens of the server it refers to, which are kept for each scope until they end.
 * Sources: RFC 9110 section 11, the distribution project's `spec/auth/token.md` and `oauth.md`.
 */
export class Authorizer {
  readonly #sender: Sender;
  readonly #credentials: Credentials | undefined;
  readonly #insecure: boolean;
  readonly #tokens = new Map<string, { readonly header: string; readonly until: number }>();
  #basic: string | undefined;
  /** Who gave the last token. */
  #realm: Realm | undefined;

  /** @param credentials undefined: nobody in particular. `insecure`: without TLS, so tokens may be fetched without it, too. */
  constructor(sender: Sender, credentials: Credentials | undefined, insecure: boolean) {
    this.#sender = sender;
    this.#credentials = credentials;
    this.#insecure = insecure;
  }

  /** What is to be sent as `Authorization`, as far as it is known yet. */
  header(scopes: readonly string[]): string | undefined {
    const kept = this.#tokens.get(keyOf(scopes));
    if (kept !== undefined && kept.until > performance.now()) return kept.header;
    return this.#basic;
  }

  /** After a 401: finds out what to send. False when there is nothing new to try. @throws `RegistryError`, `Unreachable`. */
  async answer(refusal: IncomingMessage, scopes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const challenges = parseChallenges(refusal.headersDistinct['www-authenticate'] ?? []);
    const { username = '', password = '', registryToken = '' } = this.#credentials ?? {};
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) {
      const header = `Bearer ${registryToken === '' ? await this.#fetch(bearer.parameters, scopes, signal) : registryToken}`;
      if (registryToken !== '') this.#keep(scopes, header, LIFETIME);
      return true;
    }
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    if (!basic || this.#basic !== undefined) return false;
    if (username === '') throw new RegistryError(401, '', 'no basic auth credentials');
    this.#basic = basicHeader(username, password);
    return true;
  }

  async #fetch(
    parameters: Readonly<Record<string, string>>,
    scopes: readonly string[],
    signal: AbortSignal,
  ): Promise<string> {
    const realm = this.#realmOf(parameters);
    this.#realm = realm;
    const wanted = new Set([...scopes, ...(parameters['scope']?.split(' ') ?? [])].filter((scope) => scope !== ''));
    const { token, lifetime } = await this.#token(realm, [...wanted], signal);
    this.#keep(scopes, `Bearer ${token}`, lifetime);
    return token;
  }

  #keep(scopes: readonly string[], header: string, seconds: number): void {
    this.#tokens.set(keyOf(scopes), { header, until: performance.now() + seconds * 1000 - EARLY_MS });
  }

  #realmOf({ realm = '', service = '' }: Readonly<Record<string, string>>): Realm {
    if (!URL.canParse(realm))
      throw new RegistryError(401, '', `invalid realm ${JSON.stringify(realm)} of an authorization challenge`);
    const url = new URL(realm);
    const known = this.#credentials !== undefined;
    // Else whoever sits between could make a secure registry give a password away.
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (this.#insecure || !known))) {
      throw new RegistryError(401, '', `the registry asks to send credentials without encryption to ${url.origin}`);
    }
    return { url, service };
  }

  /** A token that stands for name and password for good; `''` when there is none to be had. @throws `RegistryError`, `Unreachable`. */
  async identityToken(signal: AbortSignal): Promise<string> {
    if (this.#realm === undefined || this.#credentials === undefined || this.#credentials.username === '') return '';
    return (await this.#token(this.#realm, [], signal, true)).refresh;
  }

  /** Asks for a token. `offline`: and for one that renews it. @throws `RegistryError`, `Unreachable`. */
  async #token(realm: Realm, scopes: readonly string[], signal: AbortSignal, offline = false): Promise<Token> {
    const { identityToken = '' } = this.#credentials ?? {};
    const answer =
      identityToken === '' ? await this.#get(realm, scopes, signal, offline) : await this.#post(realm, scopes, signal);
    if (answer.statusCode !== 200) throw await registryError(answer);
    const parsed = v.safeParse(TokenSchema, parseJson((await readLimited(answer, TOKEN_LIMIT)).toString('utf8')));
    if (!parsed.success || parsed.output.token === '')
      throw new RegistryError(401, '', 'authorization server did not include a token in the response');
    return parsed.output;
  }

  #get(
    { url, service }: Realm,
    scopes: readonly string[],
    signal: AbortSignal,
    offline: boolean,
  ): Promise<IncomingMessage> {
    const { username = '', password = '' } = this.#credentials ?? {};
    const asked = new URL(url);
    if (service !== '') asked.searchParams.set('service', service);
    for (const scope of scopes) asked.searchParams.append('scope', scope);
    if (offline) {
      asked.searchParams.set('offline_token', 'true');
      asked.searchParams.set('client_id', CLIENT_ID);
    }
    if (username !== '') asked.searchParams.set('account', username);
    const headers: Record<string, string> = username === '' ? {} : { authorization: basicHeader(username, password) };
    return this.#sender.send({ method: 'GET', url: asked, headers, signal });
  }

  #post({ url, service }: Realm, scopes: readonly string[], signal: AbortSignal): Promise<IncomingMessage> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      service,
      client_id: CLIENT_ID,
      scope: scopes.join(' '),
      refresh_token: this.#credentials?.identityToken ?? '',
    });
    const body = Buffer.from(form.toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) };
    return this.#sender.send({ method: 'POST', url, headers, body, signal });
  }
}

const keyOf = (scopes: readonly string[]): string => scopes.toSorted().join(' ');

const basicHeader = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
