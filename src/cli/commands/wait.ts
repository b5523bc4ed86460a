import type { Command } from '../command.ts';
import { forEachName } from '../for-each.ts';

export const wait: Command = {
  use: 'CONTAINER [CONTAINER...]',
  short: 'Block until one or more containers stop, then print their exit codes',
  aliases: ['container wait', 'wait'],
  args: [1, Infinity],
  flags: [],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      const { exit } = await context.client.containers.wait(name);
      return String((await exit).StatusCode);
    }),
};
