import { messageOf } from '../../util/errors.ts';
import { type Command, ExitError } from '../command.ts';
import { bool } from '../flags/flag-spec.ts';

export const rmi: Command = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Remove one or more images',
  aliases: ['image rm', 'image remove', 'rmi'],
  args: [1, Infinity],
  flags: [bool('f, force', 'Force removal of the image'), bool('no-prune', 'Do not delete untagged parents')],
  async run({ client, out }, flags) {
    const failures: string[] = [];
    for (const name of flags.args) {
      try {
        const removed = await client.images.remove(name, {
          force: flags.bool('force'),
          noprune: flags.bool('no-prune'),
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
