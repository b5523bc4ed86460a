import type { StatsMessage } from '../../client/types.ts';
import { shortId } from '../../util/id.ts';
import type { RowKind } from './print-rows.ts';
import { bytesSize, humanSize } from './units.ts';

export const STATS_TABLE =
  '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}';

/** A container as it was asked for, and the newest that is known of it; undefined before the first answer and after a failure. */
export interface StatsLine {
  readonly container: string;
  readonly stats: StatsMessage | undefined;
}

/** The share of one processor, in percent, so that two busy ones are 200. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: StatsMessage): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || (now.cpu_usage.percpu_usage?.length ?? 0);
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Without the cache of files that the kernel would drop for anybody. */
export function usedMemory({ memory_stats: { usage = 0, stats } }: StatsMessage): number {
  const inactive = stats?.['total_inactive_file'] ?? stats?.['inactive_file'] ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

function memoryPercent(message: StatsMessage): number {
  const { limit = 0 } = message.memory_stats;
  return limit === 0 ? 0 : (usedMemory(message) / limit) * 100;
}

function network({ networks }: StatsMessage): [number, number] {
  const all = Object.values(networks ?? {});
  return [all.reduce((sum, it) => sum + it.rx_bytes, 0), all.reduce((sum, it) => sum + it.tx_bytes, 0)];
}

function blockIo({ blkio_stats }: StatsMessage): [number, number] {
  const of = (op: string) =>
    (blkio_stats.io_service_bytes_recursive ?? [])
      .filter((entry) => entry.op.toLowerCase().startsWith(op))
      .reduce((sum, { value }) => sum + value, 0);
  return [of('r'), of('w')];
}

const pair = ([a, b]: readonly [number, number]) => `${humanSize(a)} / ${humanSize(b)}`;
const percent = (value: number) => `${value.toFixed(2)}%`;

/** The fields of `stats`; dashes for a container that nothing is known of. */
export function statsRow(trunc: boolean): RowKind<StatsLine> {
  const known =
    (show: (stats: StatsMessage) => unknown, otherwise = '--') =>
    ({ stats }: StatsLine) =>
      stats === undefined ? otherwise : show(stats);
  return {
    goType: '*container.statsContext',
    fields: {
      Container: ({ container }) => container,
      Name: known(({ name }) => (name.length > 1 ? name.slice(1) : '--')),
      ID: known(({ id }) => (trunc ? shortId(id) : id)),
      CPUPerc: known((stats) => percent(cpuPercent(stats))),
      MemUsage: known(
        (stats) => `${bytesSize(usedMemory(stats))} / ${bytesSize(stats.memory_stats.limit ?? 0)}`,
        '-- / --',
      ),
      MemPerc: known((stats) => percent(memoryPercent(stats))),
      NetIO: known((stats) => pair(network(stats))),
      BlockIO: known((stats) => pair(blockIo(stats))),
      PIDs: known(({ pids_stats }) => String(pids_stats.current ?? 0)),
    },
    headers: {
      Container: 'CONTAINER',
      Name: 'NAME',
      ID: 'CONTAINER ID',
      CPUPerc: 'CPU %',
      MemUsage: 'MEM USAGE / LIMIT',
      MemPerc: 'MEM %',
      NetIO: 'NET I/O',
      BlockIO: 'BLOCK I/O',
      PIDs: 'PIDS',
    },
  };
}
