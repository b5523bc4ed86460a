import type { Command } from '../command.ts';
import { bool } from '../flags/flag-spec.ts';
import { forEachName } from '../for-each.ts';

export const volumeRm: Command = {
  use: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Remove one or more volumes',
  aliases: ['volume rm', 'volume remove'],
  args: [1, Infinity],
  flags: [bool('f, force', 'Force the removal of one or more volumes')],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      await context.client.volumes.remove(name, flags.bool('force'));
      return name;
    }),
};
