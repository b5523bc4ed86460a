import type { Command } from '../command.ts';
import { forEachName } from '../for-each.ts';

export const unpause: Command = {
  use: 'CONTAINER [CONTAINER...]',
  short: 'Unpause all processes within one or more containers',
  aliases: ['container unpause', 'unpause'],
  args: [1, Infinity],
  flags: [],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.containers.unpause(name);
      return name;
    }),
};
