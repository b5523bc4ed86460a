import { messageOf } from '../../util/errors.ts';
import { type Command, ExitError } from '../command.ts';
import { type FlagSpec, one, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { bytes, bytesOrUnlimited, integer, nanoCpus, uint16 } from '../flags/values.ts';
import { restartPolicy } from '../run/host-config.ts';

const int = (name: string, doc: string) => one(name, 'int', doc, { parse: integer });
const size = (name: string, doc: string, parse = bytes) => one(name, 'bytes', doc, { parse });

const FLAGS: readonly FlagSpec[] = [
  one('blkio-weight', 'uint16', 'Block IO (relative weight), between 10 and 1000, or 0 to disable', {
    default: '0',
    parse: uint16,
  }),
  int('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  int('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  int('cpu-rt-period', 'Limit the CPU real-time period in microseconds'),
  int('cpu-rt-runtime', 'Limit the CPU real-time runtime in microseconds'),
  int('c, cpu-shares', 'CPU shares (relative weight)'),
  one('cpus', 'decimal', 'Number of CPUs', { parse: nanoCpus }),
  text('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)'),
  text('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)'),
  size('m, memory', 'Memory limit'),
  size('memory-reservation', 'Memory soft limit'),
  size('memory-swap', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap', bytesOrUnlimited),
  int('pids-limit', 'Tune container pids limit (set -1 for unlimited)'),
  text('restart', 'Restart policy to apply when a container exits'),
];

/** What each flag is called in the body; a flag that was not given leaves things as they are. */
const FIELDS: Readonly<Record<string, string>> = {
  'blkio-weight': 'BlkioWeight',
  'cpu-period': 'CpuPeriod',
  'cpu-quota': 'CpuQuota',
  'cpu-rt-period': 'CpuRealtimePeriod',
  'cpu-rt-runtime': 'CpuRealtimeRuntime',
  'cpu-shares': 'CpuShares',
  cpus: 'NanoCpus',
  'cpuset-cpus': 'CpusetCpus',
  'cpuset-mems': 'CpusetMems',
  memory: 'Memory',
  'memory-reservation': 'MemoryReservation',
  'memory-swap': 'MemorySwap',
  'pids-limit': 'PidsLimit',
};

export const update: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Update configuration of one or more containers',
  aliases: ['container update', 'update'],
  args: [1, Infinity],
  flags: FLAGS,
  async run({ client, out }, flags) {
    const body = changes(flags);
    const warnings: string[] = [];
    const errors: string[] = [];
    for (const name of flags.args) {
      try {
        warnings.push(...((await client.containers.update(name, body)).Warnings ?? []));
        out(`${name}\n`);
      } catch (error) {
        errors.push(messageOf(error));
      }
    }
    if (warnings.length > 0) out(`${warnings.join('\n')}\n`);
    if (errors.length > 0) throw new ExitError(1, errors.join('\n'));
    return 0;
  },
};

function changes(flags: ParsedFlags): Record<string, unknown> {
  const given = Object.keys(FIELDS).filter((name) => flags.given(name));
  if (given.length === 0 && !flags.given('restart')) {
    throw new ExitError(1, 'you must provide one or more flags when using this command');
  }
  const limits = Object.fromEntries(given.map((name) => [FIELDS[name], flags.value<unknown>(name)]));
  return { ...limits, ...(flags.given('restart') ? { RestartPolicy: restartPolicy(flags.text('restart')) } : {}) };
}
