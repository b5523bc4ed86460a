import type { Command } from '../command.ts';
import { bool, list, text } from '../flags/flag-spec.ts';
import { parseReference } from '../run/image-reference.ts';

export const commit: Command = {
  use: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  short: "Create a new image from a container's changes",
  aliases: ['container commit', 'commit'],
  args: [1, 2],
  flags: [
    text('a, author', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    list('c, change', 'Apply Dockerfile instruction to the created image'),
    text('m, message', 'Commit message'),
    bool('p, pause', 'Pause container during commit', { default: 'true' }),
  ],
  async run({ client, out }, flags) {
    const [container = '', name] = flags.args;
    const reference = name === undefined ? undefined : parseReference(name);
    const { Id } = await client.images.commit({
      container,
      repo: reference?.name,
      tag: reference === undefined ? undefined : (reference.tag ?? 'latest'),
      comment: flags.text('message'),
      author: flags.text('author'),
      changes: flags.list('change'),
      ...(flags.bool('pause') ? {} : { pause: 0 }),
    });
    out(`${Id}\n`);
    return 0;
  },
};
