import { invalid } from '../../util/errors.ts';
import type { Command } from '../command.ts';
import { bool } from '../flags/flag-spec.ts';
import { forEachName } from '../for-each.ts';

export const rm: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Remove one or more containers',
  aliases: ['container rm', 'container remove', 'rm'],
  args: [1, Infinity],
  flags: [
    bool('f, force', 'Force the removal of a running container (uses SIGKILL)'),
    bool('l, link', 'Remove the specified link'),
    bool('v, volumes', 'Remove anonymous volumes associated with the container'),
  ],
  run: (context, flags) =>
    forEachName(context, flags.args, async (name) => {
      const bare = name.replace(/^\/+/, '');
      if (bare === '') throw invalid('Container name cannot be empty');
      const query = { force: flags.bool('force'), v: flags.bool('volumes'), link: flags.bool('link') };
      await context.client.containers.remove(bare, query);
      return name;
    }),
};
