import type { Command } from '../command.ts';
import { forEachName } from '../for-each.ts';

export const pause: Command = {
  use: 'CONTAINER [CONTAINER...]',
  short: 'Pause all processes within one or more containers',
  aliases: ['container pause', 'pause'],
  args: [1, Infinity],
  flags: [],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.containers.pause(name);
      return name;
    }),
};
