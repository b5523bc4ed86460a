import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bool, list } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { humanSize } from '../format/units.ts';

export const volumePrune: Command = {
  use: '[OPTIONS]',
  short: 'Remove unused local volumes',
  args: [0, 0],
  flags: [
    bool('a, all', 'Remove all unused volumes, not just anonymous ones'),
    list('filter', 'Provide filter values (e.g. "label=<label>")', { type: 'filter', parse: filter }),
    bool('f, force', 'Do not prompt for confirmation'),
  ],
  async run(context, flags) {
    const which = flags.bool('all') ? 'all' : 'anonymous';
    const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.`;
    if (!flags.bool('force') && !(await confirm(context, warning))) return 0;
    const filters = { ...filterMap(flags.list('filter')), ...(flags.bool('all') ? { all: ['true'] } : {}) };
    const { VolumesDeleted, SpaceReclaimed } = await context.client.pruneVolumes(filters);
    const deleted = VolumesDeleted ?? [];
    if (deleted.length > 0) context.out(`Deleted Volumes:\n${deleted.join('\n')}\n\n`);
    context.out(`Total reclaimed space: ${humanSize(SpaceReclaimed, 4)}\n`);
    return 0;
  },
};
