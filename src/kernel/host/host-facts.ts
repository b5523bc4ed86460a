import type { CgroupFacts } from './cgroup-facts.ts';
import type { HostDevice } from './host-devices.ts';

/** An architecture by its name in images (GOARCH). */
export type Arch = 'amd64' | '386' | 'arm64' | 'arm' | 'ppc64le' | 's390x' | 'riscv64' | 'loong64' | 'mips64le';

/** Which limits this kernel can enforce on a container. */
export interface LimitFacts {
  memory: boolean;
  swap: boolean;
  memoryReservation: boolean;
  memorySwappiness: boolean;
  oomKillDisable: boolean;
  cpuShares: boolean;
  cpuCfsPeriod: boolean;
  cpuCfsQuota: boolean;
  cpuset: boolean;
  pids: boolean;
  blkioWeight: boolean;
  blkioThrottle: boolean;
}

/** What the engine needs to know of the machine; read once, at its start, except for the functions. */
export interface HostFacts {
  /** As `uname -r` prints it, and its first two numbers. */
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  readonly arch: Arch;
  /** From os-release; the name as in `Debian GNU/Linux 12 (bookworm)`. */
  readonly os: { readonly name: string; readonly version: string };
  /** Processors online. */
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly cgroup: CgroupFacts;
  readonly limits: LimitFacts;
  readonly seccomp: boolean;
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** Capabilities the engine itself holds and so can hand out, as in `CAP_CHOWN`, by number. */
  readonly capabilities: readonly string[];
  /** tini, for `--init`; empty when it is not installed. */
  readonly initBinary: string;
  /** The device node at a path on the host, or every one below a directory, as it is now; empty when there is none. */
  devicesAt(path: string): HostDevice[];
  /** Propagation of the mount that a host path is on, as it is now. */
  propagationAt(path: string): { readonly mountPoint: string; readonly shared: boolean; readonly slave: boolean };
}
