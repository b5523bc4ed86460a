import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bool, list } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { humanSize } from '../format/units.ts';

export const containerPrune: Command = {
  use: '[OPTIONS]',
  short: 'Remove all stopped containers',
  args: [0, 0],
  flags: [
    list('filter', 'Provide filter values (e.g. "until=<timestamp>")', { type: 'filter', parse: filter }),
    bool('f, force', 'Do not prompt for confirmation'),
  ],
  async run(context, flags) {
    if (!flags.bool('force') && !(await confirm(context, 'WARNING! This will remove all stopped containers.')))
      return 0;
    const { ContainersDeleted, SpaceReclaimed } = await context.client.containers.prune(
      filterMap(flags.list('filter')),
    );
    const deleted = ContainersDeleted ?? [];
    if (deleted.length > 0) context.out(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
    context.out(`Total reclaimed space: ${humanSize(SpaceReclaimed, 4)}\n`);
    return 0;
  },
};
