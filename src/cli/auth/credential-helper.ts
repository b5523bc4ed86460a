import * as v from 'valibot';
import { internal } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';

/** Name and secret of a user; the name `<token>` says that the secret is an identity token. */
export interface Secret {
  readonly Username: string;
  readonly Secret: string;
}

const SecretSchema = v.object({ Username: v.string(), Secret: v.string() });
const NOT_FOUND = 'credentials not found in native keychain';

/** A program `docker-credential-<name>`, which keeps secrets (docker-credential-helpers' protocol: a verb, JSON on its standard streams). */
export class CredentialHelper {
  readonly #program: string;

  constructor(name: string) {
    this.#program = `docker-credential-${name}`;
  }

  /** Undefined when it has nothing for this server. @throws `unavailable` when it is not installed; `internal` with its words. */
  async get(server: string): Promise<Secret | undefined> {
    const text = await this.#call('get', server);
    return text === undefined ? undefined : v.parse(SecretSchema, JSON.parse(text));
  }

  async store(server: string, secret: Secret): Promise<void> {
    await this.#call('store', JSON.stringify({ ServerURL: server, ...secret }));
  }

  async erase(server: string): Promise<void> {
    await this.#call('erase', server);
  }

  async #call(verb: 'get' | 'store' | 'erase', input: string): Promise<string | undefined> {
    const { code, stdout, stderr } = await run(this.#program, [verb], { input, allowFailure: true });
    if (code === 0) return stdout;
    const said = (stdout.trim() || stderr.trim()) ?? '';
    if (said === NOT_FOUND) return undefined;
    throw internal(`error getting credentials - err: exit status ${code}, out: \`${said}\``);
  }
}
