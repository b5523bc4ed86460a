import type { Command } from '../command.ts';
import { containerBody } from '../run/container-body.ts';
import { containerFlags } from '../run/container-flags.ts';
import { createContainer } from '../run/create-container.ts';

export const create: Command = {
  use: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a new container',
  aliases: ['container create', 'create'],
  args: [1, Infinity],
  interspersed: false,
  flags: containerFlags('Pull image before creating ("always", "|missing", "never")'),
  async run(context, flags) {
    const body = containerBody(flags, { env: context.env, words: flags.args });
    context.out(`${await createContainer(context, flags, body)}\n`);
    return 0;
  },
};
