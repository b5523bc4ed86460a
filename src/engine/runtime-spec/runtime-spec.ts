import { posix } from 'node:path';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { IdRange } from '../../kernel/userns/id-map.ts';
import type { SeenUserns } from '../../kernel/userns/user-namespace.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { OciLinux, OciSpec } from '../../spec/oci.ts';
import type { Container } from '../containers/model.ts';
import { containerCapabilities } from './capabilities.ts';
import { containerDevices } from './devices.ts';
import { maskedPaths, readonlyPaths } from './hidden-paths.ts';
import { containerMounts, rootPropagation } from './mounts.ts';
import { idMappings, isContainerMode, namespaces, type Peers, userNamespace } from './namespaces.ts';
import { containerProcess } from './process.ts';
import type { ResolvedUser } from './resolve-user.ts';
import { containerResources } from './resources.ts';
import { atLeast } from './seccomp.ts';
import { containerSeccomp } from './security.ts';
import type { SpecDefaults } from './spec-defaults.ts';

export { execProcess } from './process.ts';

/** What a container's configuration is made from. */
export interface RuntimeSpecInput {
  readonly container: Container;
  readonly host: HostFacts;
  /** Undefined: the host's network. */
  readonly netnsPath: string | undefined;
  readonly user: ResolvedUser;
  /** Needed when its pid or ipc namespace is another container's. */
  readonly peers?: Peers;
  /** Host directory for /dev/shm; needed when its ipc is `shareable` or another container's. */
  readonly shm?: string;
  /** Needed when it mounts images: by destination, where each is mounted on the host. */
  readonly images?: ReadonlyMap<string, string>;
  /** Why its runtime cannot make a whole tree of mounts read-only; empty or missing when it can. */
  readonly noRecursiveReadOnly?: string;
  /** The user namespace it is in; undefined: the host's. */
  readonly userns?: Omit<SeenUserns, 'root'> | undefined;
  /** Of the daemon, for what the container does not say. */
  readonly defaults?: SpecDefaults;
}

/**
 * The whole config.json of a container, as dockerd would write it: its defaults, changed by what the container asks.
 * The root file system is `rootfs` in the bundle.
 *
 * @throws `invalid` for what this host cannot give: a device, a propagation, a limit; `unavailable` without an init to give.
 */
export function runtimeSpec(input: RuntimeSpecInput): OciSpec {
  const { container } = input;
  const { config, hostConfig } = container;
  return {
    ociVersion: '1.0.2',
    process: containerProcess(input),
    root: { path: 'rootfs', ...(hostConfig.ReadonlyRootfs ? { readonly: true } : {}) },
    ...(hostConfig.UTSMode === 'host' ? {} : { hostname: config.Hostname }),
    mounts: containerMounts(input),
    ...(Object.keys(hostConfig.Annotations).length === 0 ? {} : { annotations: { ...hostConfig.Annotations } }),
    linux: linux(input),
  };
}

function linux({ container, host, netnsPath, peers, userns, defaults }: RuntimeSpecInput): OciLinux {
  const { hostConfig } = container;
  const { devices, rules } = containerDevices(hostConfig, host);
  const seccomp = containerSeccomp(hostConfig, containerCapabilities(hostConfig, host), host, defaults);
  const propagation = rootPropagation(container, host);
  const masked = maskedPaths(hostConfig, host);
  const readonly = readonlyPaths(hostConfig);
  return {
    ...nonEmpty('sysctl', sysctls(container, host, userns)),
    resources: { devices: rules, ...containerResources(hostConfig, host) },
    cgroupsPath: cgroupsPath(container, host),
    namespaces: [...namespaces(hostConfig, netnsPath, peers ?? {}), ...userNamespace(userns, peers)],
    ...idMappings(userns),
    ...(devices.length === 0 ? {} : { devices }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(masked.length === 0 ? {} : { maskedPaths: masked }),
    ...(readonly.length === 0 ? {} : { readonlyPaths: readonly }),
  };
}

function nonEmpty<K extends string>(key: K, value: Record<string, string>): { [P in K]?: Record<string, string> } {
  return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { [P in K]?: Record<string, string> });
}

/**
 * In a network of its own a container may open low ports and send pings without being root. The NIS domain name has no
 * place of its own in the specification.
 */
function sysctls(
  { config, hostConfig }: Container,
  { kernel }: Pick<HostFacts, 'kernel'>,
  userns: RuntimeSpecInput['userns'],
): Record<string, string> {
  const ownNetwork = hostConfig.NetworkMode !== 'host' && !isContainerMode(hostConfig.NetworkMode);
  const network = {
    ...(atLeast(kernel, '4.11') ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}),
    // Of the groups there are inside: the kernel takes no others.
    'net.ipv4.ping_group_range': `0 ${userns === undefined ? 2147483647 : lastId(userns.maps.gid)}`,
  };
  return {
    ...(ownNetwork ? network : {}),
    ...(config.Domainname === '' ? {} : { 'kernel.domainname': config.Domainname }),
    ...hostConfig.Sysctls,
  };
}

function lastId(map: readonly IdRange[]): number {
  return Math.max(...map.map(({ container, size }) => container + size - 1));
}

/** Where a container's processes are counted and limited, below the mount point of every hierarchy. */
export function cgroupsPath(
  { id, hostConfig }: { readonly id: string; readonly hostConfig: Pick<HostConfig, 'CgroupParent'> },
  { cgroup }: Pick<HostFacts, 'cgroup'>,
): string {
  return posix.join('/', hostConfig.CgroupParent || cgroup.parent, id);
}
