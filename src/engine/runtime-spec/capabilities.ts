import { CAPABILITY_NAMES } from '../../kernel/host/capability-names.ts';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { OciCapabilities } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';

/** What a container has unless it says otherwise, in Docker's order. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

const ALL = 'ALL';

type Wanted = Pick<HostConfig, 'CapAdd' | 'CapDrop' | 'Privileged'>;
type Holder = Pick<HostFacts, 'capabilities'>;

/**
 * The capabilities a container may use: Docker's default ones without the dropped and with the added ones; all that
 * the engine holds itself when it is privileged or adds `ALL`.
 *
 * @throws `invalid` for an unknown name, or one that the engine does not hold and so cannot give.
 */
export function containerCapabilities({ CapAdd, CapDrop, Privileged }: Wanted, host: Holder): string[] {
  if (Privileged) return [...host.capabilities];
  const add = normalizeCapabilities(CapAdd ?? [], 'CapAdd', host);
  const drop = new Set(normalizeCapabilities(CapDrop ?? [], 'CapDrop', undefined));
  if (add.includes(ALL)) return host.capabilities.filter((name) => !drop.has(name));
  const base = drop.has(ALL) ? [] : DEFAULT_CAPABILITIES.filter((name) => !drop.has(name));
  return [...new Set([...base, ...add])];
}

/**
 * Names as the kernel writes them, given with or without `CAP_` in any case; `ALL` stays. `holder` limits them to what
 * the engine can give.
 *
 * @throws `invalid` in Docker's words, naming the field.
 */
export function normalizeCapabilities(names: readonly string[], field: string, holder: Holder | undefined): string[] {
  return names.map((given) => {
    const upper = given.trim().toUpperCase();
    if (upper === ALL) return ALL;
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!CAPABILITY_NAMES.includes(name)) throw invalid(`invalid ${field}: unknown capability: "${name}"`);
    if (holder !== undefined && !holder.capabilities.includes(name)) {
      throw invalid(
        `invalid ${field}: capability not supported by your kernel or not available in the current environment: "${name}"`,
      );
    }
    return name;
  });
}

/** The sets of a process. Another user than root starts without any, as after execve(2), and may gain up to the bounding set. */
export function processCapabilities(names: readonly string[], uid: number): OciCapabilities {
  if (uid !== 0) return { bounding: names };
  return { bounding: names, effective: names, permitted: names };
}
