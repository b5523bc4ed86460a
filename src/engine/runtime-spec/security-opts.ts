import type { HostFacts } from '../../kernel/host/host-facts.ts';
import { invalid, unsupported } from '../../util/errors.ts';
import { goBool } from '../../util/go-bool.ts';

/** What `--security-opt` asks for. Undefined: not mentioned. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean | undefined;
  /** `unconfined`, `builtin`, or the JSON of a profile; the clients send a file's content. */
  readonly seccomp: string | undefined;
  readonly apparmor: string | undefined;
  /** What follows `label=`. */
  readonly labels: readonly string[];
  readonly writableCgroups: boolean | undefined;
}

/** `key=value` or, as older clients write, `key:value`. @throws `invalid` in Docker's words. */
export function parseSecurityOpts(options: readonly string[]): SecurityOptions {
  const pairs = options.map(split);
  const last = (key: string): string | undefined => pairs.findLast((pair) => pair.key === key)?.value;
  return {
    noNewPrivileges: truth(last('no-new-privileges')),
    seccomp: last('seccomp'),
    apparmor: last('apparmor'),
    labels: pairs.filter(({ key }) => key === 'label').map(({ value }) => value),
    writableCgroups: truth(last('writable-cgroups')),
  };
}

const truth = (value: string | undefined) => (value === undefined ? undefined : value === 'true');

const KEYS = new Set(['label', 'apparmor', 'seccomp', 'no-new-privileges', 'writable-cgroups']);
const FLAGS = new Set(['no-new-privileges', 'writable-cgroups']);

function split(option: string): { key: string; value: string } {
  if (FLAGS.has(option)) return { key: option, value: 'true' };
  if (option === 'disable') return { key: 'label', value: option };
  const at = option.includes('=') ? option.indexOf('=') : option.indexOf(':');
  if (at < 0) throw invalid(`invalid --security-opt 1: "${option}"`);
  const key = option.slice(0, at);
  const value = option.slice(at + 1);
  const wrong = invalid(`invalid --security-opt 2: "${option}"`);
  if (!KEYS.has(key)) throw wrong;
  if (!FLAGS.has(key)) return { key, value };
  const flag = goBool(value);
  if (flag === undefined) throw wrong;
  return { key, value: String(flag) };
}

/**
 * Refuses a profile of AppArmor where the host has none: accepting it would promise what is not done. Labels of SELinux are, as
 * in Docker, a matter of hosts that have it, like `:z` on a bind: elsewhere they say nothing. Asking for no confinement is fine
 * everywhere.
 */
export function checkSecurityModules(
  { apparmor = '', labels }: SecurityOptions,
  host: Pick<HostFacts, 'apparmor' | 'selinux'>,
): void {
  if (apparmor !== '' && apparmor !== 'unconfined' && !host.apparmor) {
    throw invalid(`invalid --security-opt: "apparmor=${apparmor}": AppArmor is not enabled on this host`);
  }
  const label = labels.find((one) => one !== 'disable');
  if (label !== undefined && host.selinux) throw unsupported(`--security-opt label=${label} is not supported yet`);
}
