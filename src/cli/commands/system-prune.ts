import type { FilterMap } from '../../client/client.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bool, list } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { filter, filterMap } from '../flags/values.ts';
import { humanSize } from '../format/units.ts';

/** One kind of object that is pruned, in docker's order. */
interface Step {
  warning: (all: boolean) => string;
  /** What was removed, as a text, and the bytes that freed. */
  prune: (context: CommandContext, filters: FilterMap, all: boolean) => Promise<{ text: string; bytes: number }>;
}

const deleted = (heading: string, names: readonly string[] | null | undefined): string =>
  (names ?? []).length === 0 ? '' : `${heading}\n${names?.join('\n')}\n`;

const CONTAINERS: Step = {
  warning: () => 'all stopped containers',
  async prune({ client }, filters) {
    const { ContainersDeleted, SpaceReclaimed } = await client.containers.prune(filters);
    return { text: deleted('Deleted Containers:', ContainersDeleted), bytes: SpaceReclaimed };
  },
};

const NETWORKS: Step = {
  warning: () => 'all networks not used by at least one container',
  async prune({ client }, filters) {
    const { NetworksDeleted } = await client.pruneNetworks(filters);
    return { text: deleted('Deleted Networks:', NetworksDeleted), bytes: 0 };
  },
};

const VOLUMES: Step = {
  warning: () => 'all anonymous volumes not used by at least one container',
  async prune({ client }, filters) {
    const { VolumesDeleted, SpaceReclaimed } = await client.pruneVolumes(filters);
    return { text: deleted('Deleted Volumes:', VolumesDeleted), bytes: SpaceReclaimed };
  },
};

const IMAGES: Step = {
  warning: (all) => (all ? 'all images without at least one container associated to them' : 'all dangling images'),
  async prune({ client }, filters, all) {
    const { ImagesDeleted, SpaceReclaimed } = await client.images.prune({ ...filters, dangling: [String(!all)] });
    const lines = (ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
      Untagged ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
    );
    return { text: deleted('Deleted Images:', lines), bytes: SpaceReclaimed };
  },
};

const BUILD_CACHE: Step = {
  warning: (all) => (all ? 'all build cache' : 'unused build cache'),
  async prune({ client }, filters, all) {
    const { CachesDeleted, SpaceReclaimed } = await client.pruneBuildCache(filters, all);
    return { text: deleted('Deleted build cache objects:', CachesDeleted), bytes: SpaceReclaimed };
  },
};

export const systemPrune: Command = {
  use: '[OPTIONS]',
  short: 'Remove unused data',
  args: [0, 0],
  flags: [
    bool('a, all', 'Remove all unused images not just dangling ones'),
    list('filter', 'Provide filter values (e.g. "label=<key>=<value>")', { type: 'filter', parse: filter }),
    bool('f, force', 'Do not prompt for confirmation'),
    bool('volumes', 'Prune anonymous volumes'),
  ],
  async run(context, flags) {
    const filters = filterMap(flags.list('filter'));
    const all = flags.bool('all');
    if (flags.bool('volumes') && Object.hasOwn(filters, 'until')) {
      throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    const steps = [CONTAINERS, NETWORKS, ...(flags.bool('volumes') ? [VOLUMES] : []), IMAGES, BUILD_CACHE];
    if (!flags.bool('force') && !(await confirm(context, warning(steps, flags)))) return 0;
    let reclaimed = 0;
    for (const step of steps) {
      const { text, bytes } = await step.prune(context, filters, all);
      reclaimed += bytes;
      if (text !== '') context.out(`${text}\n`);
    }
    context.out(`Total reclaimed space: ${humanSize(reclaimed, 4)}\n`);
    return 0;
  },
};

function warning(steps: readonly Step[], flags: ParsedFlags): string {
  const items = steps.map((step) => `  - ${step.warning(flags.bool('all'))}\n`);
  const filters = flags
    .list<{ name: string; value: string }>('filter')
    .map(({ name, value }) => `  - ${name}=${value}\n`);
  const filtered = filters.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${filters.join('')}`;
  return `WARNING! This will remove:\n${items.join('')}${filtered}`;
}
