import type { IdRange } from '../../kernel/userns/id-map.ts';
import type { UserNamespace } from '../../kernel/userns/user-namespace.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { OciIdMapping, OciLinux, OciNamespace } from '../../spec/oci.ts';
import { internal } from '../../util/errors.ts';

/** The first processes, on the host, of the containers whose namespaces are shared. */
export interface Peers {
  /** Of the container named by `PidMode`. */
  readonly pid?: Peer;
  /** Of the container named by `IpcMode`. */
  readonly ipc?: Peer;
  /** Of the container named by `NetworkMode`; its namespace is joined by a path. */
  readonly network?: Peer;
}

/** Its process id, or `host` when that container is in the host's namespace itself. */
export type Peer = number | 'host';

type Modes = Pick<HostConfig, 'PidMode' | 'IpcMode' | 'UTSMode' | 'CgroupnsMode'>;

/** True for `container:<id>`. */
export function isContainerMode(mode: string): boolean {
  return mode.startsWith('container:');
}

/** The id or name behind `container:`. */
export function peerOf(mode: string): string {
  return mode.slice('container:'.length);
}

/**
 * The namespaces of a container: new ones, others' that are joined, and none where it stays in the host's.
 * `netnsPath` undefined stands for the host's network.
 */
export function namespaces(modes: Modes, netnsPath: string | undefined, peers: Peers): OciNamespace[] {
  return [
    { type: 'mount' },
    ...(netnsPath === undefined ? [] : [{ type: 'network' as const, path: netnsPath }]),
    ...(modes.UTSMode === 'host' ? [] : [{ type: 'uts' as const }]),
    ...joinable('pid', modes.PidMode, peers.pid),
    ...joinable('ipc', modes.IpcMode, peers.ipc),
    ...(modes.CgroupnsMode === 'private' ? [{ type: 'cgroup' as const }] : []),
  ];
}

function joinable(type: 'pid' | 'ipc', mode: string, peer: Peer | undefined): OciNamespace[] {
  if (mode === 'host' || peer === 'host') return [];
  if (!isContainerMode(mode)) return [{ type }];
  if (peer === undefined) throw internal(`no process given for the ${type} namespace of ${peerOf(mode)}`);
  return [{ type, path: `/proc/${peer}/ns/${type}` }];
}

/**
 * A namespace can only be joined by who is in the user namespace it belongs to. That is the engine's, but not when a container
 * was started by a daemon that made another one.
 */
export function userNamespace(userns: Pick<UserNamespace, 'path'> | undefined, peers: Peers = {}): OciNamespace[] {
  if (userns === undefined) return [];
  const peer = [peers.pid, peers.ipc, peers.network].find((it) => typeof it === 'number');
  return [{ type: 'user', path: peer === undefined ? userns.path : `/proc/${peer}/ns/user` }];
}

/** Told to the runtime though the namespace has them: it chooses owners by them. */
export function idMappings(
  userns: Pick<UserNamespace, 'maps'> | undefined,
): Pick<OciLinux, 'uidMappings' | 'gidMappings'> {
  if (userns === undefined) return {};
  const mappings = (map: readonly IdRange[]): OciIdMapping[] =>
    map.map(({ container, host, size }) => ({ containerID: container, hostID: host, size }));
  return { uidMappings: mappings(userns.maps.uid), gidMappings: mappings(userns.maps.gid) };
}
