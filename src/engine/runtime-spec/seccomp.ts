import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { OciSeccomp, OciSeccompRule } from '../../spec/oci.ts';
import {
  DEFAULT_ERRNO,
  SECCOMP_ARCHES,
  SECCOMP_FACTS,
  type SeccompCondition,
  type SeccompFact,
} from './seccomp-profile.ts';

/** What the conditions of a profile are held against. */
export interface SeccompContext {
  /** The container's bounding set. */
  readonly capabilities: ReadonlySet<string>;
  readonly host: Pick<HostFacts, 'arch' | 'kernel' | 'x32'>;
}

/** The default profile as it applies to a container. */
export function defaultSeccomp(context: SeccompContext): OciSeccomp {
  const facts = SECCOMP_FACTS.filter((fact) => applies(fact, context));
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: DEFAULT_ERRNO,
    architectures: architecturesOf(context.host),
    syscalls: facts.flatMap(rulesOf),
  };
}

/** Building the filter takes as long again for each architecture, so those the kernel cannot run at all are left out. */
function architecturesOf({ arch, x32 }: SeccompContext['host']): string[] {
  return (SECCOMP_ARCHES[arch] ?? []).filter((name) => x32 || name !== 'SCMP_ARCH_X32');
}

/** Whether a condition holds; what it does not mention does not matter. */
export function applies(condition: SeccompCondition, { capabilities, host }: SeccompContext): boolean {
  const { caps, withoutCap, arches, notArches, minKernel } = condition;
  return (
    (caps === undefined || caps.every((cap) => capabilities.has(cap))) &&
    (withoutCap === undefined || !capabilities.has(withoutCap)) &&
    (arches === undefined || arches.includes(host.arch)) &&
    (notArches === undefined || !notArches.includes(host.arch)) &&
    (minKernel === undefined || atLeast(host.kernel, minKernel))
  );
}

/** Whether a kernel is at least of a version such as `4.8`. */
export function atLeast({ major, minor }: { major: number; minor: number }, version: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Conditions on arguments within one rule must all hold, so alternatives become rules of their own. */
function rulesOf({ names, args, errno }: SeccompFact): OciSeccompRule[] {
  const verdict = errno === undefined ? { action: 'SCMP_ACT_ALLOW' } : { action: 'SCMP_ACT_ERRNO', errnoRet: errno };
  const rule = { names: names.trim().split(/\s+/), ...verdict };
  if (args === undefined) return [rule];
  return args.map(({ op, ...operands }) => ({ ...rule, args: [{ ...operands, op: `SCMP_CMP_${op}` }] }));
}
