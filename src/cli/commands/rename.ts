import { messageOf } from '../../util/errors.ts';
import { type Command, ExitError } from '../command.ts';

export const rename: Command = {
  use: 'CONTAINER NEW_NAME',
  short: 'Rename a container',
  aliases: ['container rename', 'rename'],
  args: [2, 2],
  flags: [],
  async run({ client, err }, { args: [from = '', to = ''] }) {
    const name = from.trim();
    if (name === '' || to.trim() === '') throw new ExitError(1, 'Error: Neither old nor new names may be empty');
    try {
      await client.containers.rename(name, to.trim());
    } catch (error) {
      err(`${messageOf(error)}\n`);
      throw new ExitError(1, `Error: failed to rename container named ${name}`);
    }
    return 0;
  },
};
