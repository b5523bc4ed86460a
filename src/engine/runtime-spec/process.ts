import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { ExecBody } from '../../spec/container.ts';
import type { OciProcess } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';
import type { Container } from '../containers/model.ts';
import { containerCapabilities, processCapabilities } from './capabilities.ts';
import { environment } from './environment.ts';
import { INIT_PATH, usesInit } from './mounts.ts';
import type { ResolvedUser } from './resolve-user.ts';
import { rlimits, withDefaults } from './rlimits.ts';
import { apparmorProfile } from './security.ts';
import { parseSecurityOpts } from './security-opts.ts';
import { PLAIN_DEFAULTS, type SpecDefaults } from './spec-defaults.ts';

/** The first process of a container. */
export function containerProcess(o: {
  container: Container;
  host: HostFacts;
  user: ResolvedUser;
  defaults?: SpecDefaults;
}): OciProcess {
  const { container, host, user, defaults = PLAIN_DEFAULTS } = o;
  const { config, hostConfig } = container;
  const command = [container.path, ...container.args];
  return {
    ...terminal(config.Tty, hostConfig.ConsoleSize),
    args: usesInit(hostConfig, defaults) ? [INIT_PATH, '--', ...command] : command,
    env: environment({ hostname: config.Hostname, tty: config.Tty, own: [config.Env] }),
    cwd: config.WorkingDir || '/',
    ...credentials({ container, host, user, defaults }),
  };
}

/** A further process in a container: it gets what the first one has, except for what its request says. */
export function execProcess(o: {
  container: Container;
  body: ExecBody;
  host: HostFacts;
  user: ResolvedUser;
  defaults?: SpecDefaults;
}): OciProcess {
  const { container, body, host, user, defaults = PLAIN_DEFAULTS } = o;
  const { config } = container;
  return {
    ...terminal(body.Tty, body.ConsoleSize ?? [0, 0]),
    args: body.Cmd ?? [],
    env: environment({ hostname: config.Hostname, tty: body.Tty, own: [config.Env, body.Env] }),
    cwd: body.WorkingDir || config.WorkingDir || '/',
    ...credentials({ container, host, user, defaults, privileged: body.Privileged }),
  };
}

/** Docker's order is height, width; zeros mean that nobody knows yet. */
function terminal(tty: boolean, [height, width]: readonly [number, number]): Partial<OciProcess> {
  if (!tty) return {};
  return { terminal: true, ...(height > 0 && width > 0 ? { consoleSize: { height, width } } : {}) };
}

/**
 * A privileged exec gets every capability, in a container that need not be privileged; AppArmor goes on confining it as it
 * does the container, as under dockerd.
 */
function credentials(o: {
  container: Container;
  host: HostFacts;
  user: ResolvedUser;
  defaults: SpecDefaults;
  privileged?: boolean;
}) {
  const { hostConfig } = o.container;
  const { uid, gid, additionalGids } = o.user;
  const confined = { ...hostConfig, Privileged: hostConfig.Privileged || o.privileged === true };
  const profile = apparmorProfile(hostConfig, o.host);
  const { noNewPrivileges = o.defaults.noNewPrivileges } = parseSecurityOpts(hostConfig.SecurityOpt ?? []);
  const limits = rlimits(withDefaults(hostConfig.Ulimits ?? [], o.defaults.ulimits), o.host);
  return {
    user: { uid, gid, additionalGids },
    capabilities: processCapabilities(containerCapabilities(confined, o.host), uid),
    oomScoreAdj: checkOomScore(hostConfig.OomScoreAdj, o.host),
    ...(limits.length === 0 ? {} : { rlimits: limits }),
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
    ...(noNewPrivileges ? { noNewPrivileges: true } : {}),
  };
}

/** Lowering it takes CAP_SYS_RESOURCE, which some hosts do not grant; the runtime would only say that a pipe broke. */
function checkOomScore(score: number, { oomScoreAdj, capabilities }: HostFacts): number {
  if (score === 0 || score >= oomScoreAdj || capabilities.includes('CAP_SYS_RESOURCE')) return score;
  throw invalid(
    `cannot set the OOM score adjustment to ${score}: the engine runs with ${oomScoreAdj} and lacks CAP_SYS_RESOURCE`,
  );
}
