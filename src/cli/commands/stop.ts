import type { Command } from '../command.ts';
import { forEachName } from '../for-each.ts';
import { stopFlags, stopQuery } from '../run/stop-flags.ts';

export const stop: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
  args: [1, Infinity],
  flags: [...stopFlags],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.containers.stop(name, stopQuery(flags));
      return name;
    }),
};
