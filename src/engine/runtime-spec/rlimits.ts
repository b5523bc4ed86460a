import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { Ulimit } from '../../spec/container.ts';
import type { OciRlimit } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';
import { rawNumber } from '../../util/raw-number.ts';

/** The names `--ulimit` takes. Source: getrlimit(2). */
export const ULIMIT_NAMES: readonly string[] = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** "Unlimited" is -1 for a client and 2^64 - 1 for the kernel, as for C when it takes away the sign. */
const UNLIMITED = -1;
export const unsigned = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** A container's limits with the daemon's for those it does not name. */
export function withDefaults(own: readonly Ulimit[], defaults: readonly Ulimit[]): Ulimit[] {
  const named = new Set(own.map(({ Name }) => Name.toLowerCase()));
  return [...own, ...defaults.filter(({ Name }) => !named.has(Name.toLowerCase()))];
}

/** The limits that were asked for and no others, so that the rest is inherited from the engine. */
export function rlimits(ulimits: readonly Ulimit[], host: Pick<HostFacts, 'hardLimits' | 'capabilities'>): OciRlimit[] {
  return ulimits.map((ulimit) => {
    checkCanRaise(ulimit, host);
    return { type: `RLIMIT_${ulimit.Name.toUpperCase()}`, soft: limit(ulimit.Soft), hard: limit(ulimit.Hard) };
  });
}

function limit(value: number): OciRlimit['soft'] {
  // A JavaScript number cannot hold the largest.
  return value < 0 ? rawNumber(String(unsigned(value))) : value;
}

/** Raising a hard limit takes CAP_SYS_RESOURCE, which some hosts do not grant; the runtime's own error would not name the limit. */
function checkCanRaise({ Name, Hard }: Ulimit, host: Pick<HostFacts, 'hardLimits' | 'capabilities'>): void {
  const current = host.hardLimits[Name.toLowerCase()] ?? Number.POSITIVE_INFINITY;
  const wanted = Hard < 0 ? Number.POSITIVE_INFINITY : Hard;
  if (wanted <= current || host.capabilities.includes('CAP_SYS_RESOURCE')) return;
  throw invalid(
    `cannot raise the limit "${Name}" to ${Hard === UNLIMITED ? 'unlimited' : Hard}: this host allows at most ${current}, and the engine lacks CAP_SYS_RESOURCE`,
  );
}
