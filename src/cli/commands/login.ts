import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text as wholeText } from 'node:stream/consumers';
import { INDEX_SERVER, keepLogin, keyOf, readLogin } from '../auth/logins.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';

export const login: Command = {
  use: '[OPTIONS] [SERVER]',
  short: 'Authenticate to a registry',
  args: [0, 1],
  flags: [
    text('p, password', 'Password or Personal Access Token (PAT)'),
    bool('password-stdin', 'Take the Password or Personal Access Token (PAT) from stdin'),
    text('u, username', 'Username'),
  ],
  async run(context, flags) {
    const { client, configDir, out, err } = context;
    if (flags.given('password')) err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    const server = keyOf(flags.args[0] ?? INDEX_SERVER);
    const { username, password } = await ask(context, flags, server);
    const { Status, IdentityToken } = await client.login({ username, password, serveraddress: server });
    const token = IdentityToken ? { identitytoken: IdentityToken } : {};
    if (await keepLogin(configDir, { username, password, serveraddress: server, ...token })) {
      err(`\nWARNING! Your credentials are stored unencrypted in '${configDir}/config.json'.\n\n`);
    }
    out(`${Status}\n`);
    return 0;
  },
};

/** Name and password from the flags, standard input, the terminal, or an earlier login. */
async function ask(
  context: CommandContext,
  flags: ParsedFlags,
  server: string,
): Promise<{ username: string; password: string }> {
  const { stdin, configDir } = context;
  let username = flags.text('username');
  if (flags.bool('password-stdin')) {
    if (flags.given('password'))
      throw new ExitError(1, 'conflicting options: cannot specify both --password and --password-stdin');
    if (username === '') throw new ExitError(1, 'the --password-stdin option requires --username to be set');
    return { username, password: (await wholeText(stdin)).replace(/\r?\n$/, '') };
  }
  let password = flags.text('password');
  if (username === '' && password === '') {
    const kept = await readLogin(configDir, server);
    if (kept?.username && kept.password) return { username: kept.username, password: kept.password };
  }
  if (username !== '' && password !== '') return { username, password };
  if (!stdin.isTTY) throw new ExitError(1, 'Error: Cannot perform an interactive login from a non TTY device');
  if (username === '') username = await question(context, 'Username: ', true);
  if (username === '') throw new ExitError(1, 'Error: Non-null Username Required');
  if (password === '') password = await question(context, 'Password: ', false);
  if (password === '') throw new ExitError(1, 'Error: Password Required');
  return { username, password };
}

/** Asks on the terminal; what must not be seen is not echoed. */
async function question({ stdin, stdout }: CommandContext, prompt: string, echo: boolean): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  stdout.write(prompt);
  const reader = createInterface({ input: stdin, output: echo ? stdout : nowhere, terminal: true });
  try {
    return (await reader.question('')).trim();
  } finally {
    reader.close();
    if (!echo) stdout.write('\n');
  }
}
