import * as v from 'valibot';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import { type HostConfig, HostConfigSchema, type UpdateBody } from '../../spec/container.ts';
import { conflict, invalid } from '../../util/errors.ts';
import { discardKernelMemory } from './kernel-memory.ts';
import { validateRestartPolicy } from './validate-host-config.ts';
import { validateLimits } from './validate-resources.ts';

/** What can be changed of a container that exists. */
const LIMITS = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'PidsLimit',
] as const satisfies readonly (keyof UpdateBody)[];

const CHANGEABLE: ReadonlySet<string> = new Set([
  ...LIMITS,
  'KernelMemory',
  'KernelMemoryTCP',
  'CpuCount',
  'CpuPercent',
  'IOMaximumBandwidth',
  'IOMaximumIOps',
  'RestartPolicy',
]);

/**
 * Checks changes by themselves; a limit that this host lacks is taken out of them.
 *
 * @returns warnings. @throws `invalid` in Docker's words, and for what only a new container can get: Docker takes those
 * without a word and does nothing.
 */
export function validateUpdate(changes: UpdateBody, host: Pick<HostFacts, 'limits' | 'cpus' | 'cgroup'>): string[] {
  const fixed = Object.entries(changes).find(([field, value]) => !CHANGEABLE.has(field) && isSaid(value));
  if (fixed !== undefined) throw invalid(`${fixed[0]} of a container cannot be changed, only set when it is created`);
  if (changes.IOMaximumBandwidth !== 0 || changes.IOMaximumIOps !== 0) {
    throw invalid('Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps');
  }
  if (changes.RestartPolicy.Name !== '')
    validateRestartPolicy({ RestartPolicy: changes.RestartPolicy, AutoRemove: false });
  const wanted: HostConfig = { ...v.parse(HostConfigSchema, {}), ...changes };
  const warnings = [...discardKernelMemory(wanted), ...validateLimits(wanted, host)];
  Object.assign(changes, Object.fromEntries(LIMITS.map((field) => [field, wanted[field]])));
  return warnings;
}

/** Zero, empty and -1 for the swappiness, which clients send for "not given", say nothing. */
function isSaid(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== null && value !== 0 && value !== '' && value !== false && value !== -1;
}

/** A container's host configuration with changes on top. @throws `conflict` in Docker's words when the two do not go together. */
export function changedHostConfig(before: HostConfig, changes: UpdateBody): HostConfig {
  const clash = CLASHES.find(([, found]) => found(before, changes));
  if (clash !== undefined) throw conflict(clash[0]);
  const said = LIMITS.filter((field) => changes[field] !== 0 && changes[field] !== '' && changes[field] !== null);
  const { PidsLimit, RestartPolicy } = changes;
  return {
    ...before,
    ...Object.fromEntries(said.map((field) => [field, changes[field]])),
    // Of it alone zero says something: that there is no limit.
    ...(PidsLimit === null ? {} : { PidsLimit: Math.max(0, PidsLimit) }),
    ...(RestartPolicy.Name === '' ? {} : { RestartPolicy }),
  };
}

/** `--cpus` is a period and a quota: one of the two ways to say it at a time. */
const CLASHES: readonly (readonly [string, (before: HostConfig, changes: UpdateBody) => boolean])[] = [
  [
    'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set',
    (before, { NanoCpus }) => NanoCpus > 0 && before.CpuPeriod > 0,
  ],
  [
    'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set',
    (before, { NanoCpus }) => NanoCpus > 0 && before.CpuQuota > 0,
  ],
  [
    'Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set',
    (before, { CpuPeriod }) => CpuPeriod > 0 && before.NanoCpus > 0,
  ],
  [
    'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set',
    (before, { CpuQuota }) => CpuQuota > 0 && before.NanoCpus > 0,
  ],
  [
    'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    (before, { Memory, MemorySwap }) => Memory > 0 && Memory > before.MemorySwap && MemorySwap === 0,
  ],
  [
    'Restart policy cannot be updated because AutoRemove is enabled for the container',
    ({ AutoRemove }, { RestartPolicy: { Name } }) => AutoRemove && Name !== '' && Name !== 'no',
  ],
];
