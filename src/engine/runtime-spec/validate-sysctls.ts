import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

/** Kernel settings that belong to the ipc namespace. Source: sysctl(5) of the kernel, ipc_namespaces(7). */
const IPC_SYSCTLS = [/^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/, /^fs\.mqueue\./];

/**
 * Only what belongs to a namespace of the container's own may be set: the rest would change the host.
 *
 * @throws `invalid` in the runtime's words.
 */
export function validateSysctls({ Sysctls, NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  for (const [name, dotted] of Object.keys(Sysctls).map((it) => [it, dotsOf(it)] as const)) {
    const refusal = (why: string) => invalid(`sysctl "${name}" ${why}`);
    if (dotted === 'kernel.hostname') throw refusal('is not allowed as it conflicts with the OCI "hostname" field');
    if (dotted.startsWith('net.')) {
      if (NetworkMode === 'host') throw refusal('not allowed in host network namespace');
    } else if (IPC_SYSCTLS.some((pattern) => pattern.test(dotted))) {
      if (IpcMode === 'host') throw refusal('is not allowed in the hosts ipc namespace');
    } else if (dotted !== 'kernel.domainname' || UTSMode === 'host') {
      throw refusal('is not in a separate kernel namespace');
    }
  }
}

/** `net/ipv4/conf/eth0.1/forwarding` is written so for the sake of the dot in it. Source: sysctl(8). */
function dotsOf(name: string): string {
  const [first] = /[./]/.exec(name) ?? [];
  if (first !== '/') return name;
  return name.replaceAll(/[./]/g, (sign) => (sign === '/' ? '.' : '/'));
}
