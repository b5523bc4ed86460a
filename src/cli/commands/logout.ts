import { forgetLogin, INDEX_SERVER, keyOf } from '../auth/logins.ts';
import type { Command } from '../command.ts';

export const logout: Command = {
  use: '[SERVER]',
  short: 'Log out from a registry',
  args: [0, 1],
  flags: [],
  async run({ configDir, out }, flags) {
    const server = keyOf(flags.args[0] ?? INDEX_SERVER);
    out(`Removing login credentials for ${server}\n`);
    await forgetLogin(configDir, server);
    return 0;
  },
};
