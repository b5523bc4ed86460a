import type { Command } from '../command.ts';
import { forEachName } from '../for-each.ts';
import { stopFlags, stopQuery } from '../run/stop-flags.ts';

export const restart: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Restart one or more containers',
  aliases: ['container restart', 'restart'],
  args: [1, Infinity],
  flags: [...stopFlags],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.containers.restart(name, stopQuery(flags));
      return name;
    }),
};
