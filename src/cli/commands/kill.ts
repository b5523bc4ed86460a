import type { Command } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { forEachName } from '../for-each.ts';

export const kill: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Kill one or more running containers',
  aliases: ['container kill', 'kill'],
  args: [1, Infinity],
  flags: [text('s, signal', 'Signal to send to the container')],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.containers.kill(name, flags.text('signal'));
      return name;
    }),
};
