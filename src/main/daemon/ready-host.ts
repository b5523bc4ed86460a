import { loadApparmorProfile } from '../../kernel/host/apparmor.ts';
import { type HostFacts, probeHost } from '../../kernel/host/host-facts.ts';
import type { Log } from '../../util/log.ts';
import type { DaemonConfig } from './config.ts';

/**
 * The facts of this host as configured, with the AppArmor profile of containers loaded. When it cannot be, the log says why,
 * and containers that do not ask for another one are refused at their start.
 */
export async function readyHost(
  { initPath, cgroupParent }: Pick<DaemonConfig, 'initPath' | 'cgroupParent'>,
  log: Log,
): Promise<HostFacts> {
  const probed = await probeHost();
  const { cgroup } = probed;
  const host = cgroupParent === '' ? probed : { ...probed, cgroup: { ...cgroup, parent: cgroupParent } };
  if (host.apparmor) {
    await loadApparmorProfile().catch((error: unknown) =>
      log.error('no container can be confined by AppArmor', { error }),
    );
  }
  return initPath === '' ? host : { ...host, initBinary: initPath };
}
