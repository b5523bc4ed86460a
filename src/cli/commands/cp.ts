import { type Command, ExitError } from '../command.ts';
import { copyIn } from '../copy/copy-in.ts';
import { copyOut } from '../copy/copy-out.ts';
import { splitArgument } from '../copy/copy-paths.ts';
import { bool } from '../flags/flag-spec.ts';

export const cp: Command = {
  use: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tgantry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  short: [
    'Copy files/folders between a container and the local filesystem',
    '',
    "Use '-' as the source to read a tar archive from stdin",
    'and extract it to a directory destination in a container.',
    "Use '-' as the destination to stream a tar archive of a",
    'container source to stdout.',
  ].join('\n'),
  aliases: ['container cp', 'cp'],
  args: [2, 2],
  flags: [
    bool('a, archive', 'Archive mode (copy all uid/gid information)'),
    bool('L, follow-link', 'Always follow symbol link in SRC_PATH'),
    bool(
      'q, quiet',
      'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    ),
  ],
  async run(context, flags) {
    const [source = '', destination = ''] = flags.args;
    if (source === '') throw new ExitError(1, 'source can not be empty');
    if (destination === '') throw new ExitError(1, 'destination can not be empty');
    const [from, to] = [splitArgument(source), splitArgument(destination)];
    const wishes = { archive: flags.bool('archive'), follow: flags.bool('follow-link'), quiet: flags.bool('quiet') };
    if (from.container !== '' && to.container !== '') {
      throw new ExitError(1, 'copying between containers is not supported');
    }
    if (from.container !== '') await copyOut(context, from, to.path, wishes);
    else if (to.container !== '') await copyIn(context, from.path, to, wishes);
    else throw new ExitError(1, 'must specify at least one container source');
    return 0;
  },
};
