import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bool, list } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { humanSize } from '../format/units.ts';

const WARNINGS = {
  all: 'WARNING! This will remove all images without at least one container associated to them.',
  dangling: 'WARNING! This will remove all dangling images.',
};

export const imagePrune: Command = {
  use: '[OPTIONS]',
  short: 'Remove unused images',
  args: [0, 0],
  flags: [
    bool('a, all', 'Remove all unused images, not just dangling ones'),
    list('filter', 'Provide filter values (e.g. "until=<timestamp>")', { type: 'filter', parse: filter }),
    bool('f, force', 'Do not prompt for confirmation'),
  ],
  async run(context, flags) {
    const all = flags.bool('all');
    if (!flags.bool('force') && !(await confirm(context, all ? WARNINGS.all : WARNINGS.dangling))) return 0;
    const filters = { ...filterMap(flags.list('filter')), dangling: [String(!all)] };
    const { ImagesDeleted, SpaceReclaimed } = await context.client.images.prune(filters);
    const lines = (ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
      Untagged ? `untagged: ${Untagged}\n` : `deleted: ${Deleted}\n`,
    );
    if (lines.length > 0) context.out(`Deleted Images:\n${lines.join('')}\n`);
    context.out(`Total reclaimed space: ${humanSize(SpaceReclaimed, 4)}\n`);
    return 0;
  },
};
