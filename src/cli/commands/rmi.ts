import { messageOf } from '../../util/errors.ts';
import { type Command, ExitError } from '../command.ts';
import { bool, list } from '../flags/flag-spec.ts';
import { platformQuery } from '../platform-query.ts';

export const rmi: Command = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Remove one or more images',
  aliases: ['image rm', 'image remove', 'rmi'],
  args: [1, Infinity],
  flags: [
    bool('f, force', 'Force removal of the image'),
    bool('no-prune', 'Do not delete untagged parents'),
    list(
      'platform',
      'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
      { type: 'strings' },
    ),
  ],
  async run({ client, out }, flags) {
    const named = flags.list('platform').flatMap((text) => text.split(','));
    const platforms = await platformQuery(client, named, 50);
    const failures: string[] = [];
    for (const name of flags.args) {
      try {
        const removed = await client.images.remove(name, {
          force: flags.bool('force'),
          noprune: flags.bool('no-prune'),
          platforms,
        });
        for (const { Deleted, Untagged } of removed) out(Deleted ? `Deleted: ${Deleted}\n` : `Untagged: ${Untagged}\n`);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
    return 0;
  },
};
