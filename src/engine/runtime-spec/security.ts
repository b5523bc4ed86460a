import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { OciSeccomp } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';
import { defaultSeccomp } from './seccomp.ts';
import { seccompFromJson } from './seccomp-file.ts';
import { parseSecurityOpts } from './security-opts.ts';
import { PLAIN_DEFAULTS, type SpecDefaults } from './spec-defaults.ts';

/** What a process is confined by besides its capabilities. */
type Confined = Pick<HostConfig, 'Privileged' | 'SecurityOpt'>;

/**
 * The filter of system calls; undefined for none: `seccomp=unconfined`, privileged without a profile of its own, or a kernel without
 * filters.
 *
 * @throws `invalid` for a profile that cannot be read, or one asked for where the kernel has no filters.
 */
export function containerSeccomp(
  { Privileged, SecurityOpt }: Confined,
  capabilities: readonly string[],
  host: Pick<HostFacts, 'arch' | 'kernel' | 'seccomp' | 'x32'>,
  defaults: Pick<SpecDefaults, 'seccomp'> = PLAIN_DEFAULTS,
): OciSeccomp | undefined {
  const own = parseSecurityOpts(SecurityOpt ?? []).seccomp ?? '';
  const seccomp = own || (Privileged ? 'unconfined' : defaults.seccomp);
  if (seccomp === 'unconfined') return undefined;
  const context = { capabilities: new Set(capabilities), host };
  const isDefault = seccomp === 'builtin';
  if (!host.seccomp && isDefault) return undefined;
  if (!host.seccomp) throw invalid('seccomp is not enabled in your kernel, cannot run a custom seccomp profile');
  return isDefault ? defaultSeccomp(context) : seccompFromJson(seccomp, context);
}

/** The AppArmor profile of a process; undefined where the host has no AppArmor or no profile of ours. */
export function apparmorProfile(
  { Privileged, SecurityOpt }: Confined,
  host: Pick<HostFacts, 'apparmor' | 'apparmorProfile'>,
): string | undefined {
  if (!host.apparmor) return undefined;
  const { apparmor = '' } = parseSecurityOpts(SecurityOpt ?? []);
  if (apparmor !== '') return apparmor;
  return Privileged ? 'unconfined' : host.apparmorProfile || undefined;
}
