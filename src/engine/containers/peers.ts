import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, invalid, messageOf } from '../../util/errors.ts';
import { isContainerMode, type Peers, peerOf } from '../runtime-spec/namespaces.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

/** Below a bundle: the /dev/shm of a container that shares it. It goes with the bundle. */
export const SHM_DIR = 'shm';
const HOST_SHM = '/dev/shm';

/** What a container takes over of those it joins. */
export interface Joined {
  readonly peers: Peers;
  /** Host directory of the /dev/shm it shares, its own or another's; undefined when it has one to itself. */
  readonly shm: string | undefined;
  /** Whose namespaces they are; none is left out but those it has to itself or of the host. */
  readonly owners: { readonly PID?: Container; readonly IPC?: Container; readonly network?: Container };
}

type Known = Pick<Parts, 'registry' | 'paths'>;

/**
 * Finds the containers whose namespaces one is to join.
 *
 * @throws `invalid` or `conflict` in Docker's words when one is gone, does not run, or does not share.
 */
export function findJoined(parts: Known, container: Container): Joined {
  const { IpcMode, PidMode, NetworkMode } = container.hostConfig;
  const pid = isContainerMode(PidMode) ? running(parts, peerOf(PidMode)) : undefined;
  const ipc = isContainerMode(IpcMode) ? ipcOwner(parts, peerOf(IpcMode)) : undefined;
  const network = isContainerMode(NetworkMode) ? networkOwner(parts, container) : undefined;
  return {
    peers: {
      ...(pid === undefined ? {} : { pid: pid.hostConfig.PidMode === 'host' ? 'host' : pid.state.pid }),
      ...(ipc === undefined ? {} : { ipc: shmOf(parts, ipc) === HOST_SHM ? 'host' : ipc.state.pid }),
      ...(network === undefined ? {} : { network: network.state.pid }),
    },
    shm: shmOf(parts, container),
    owners: {
      ...(pid === undefined ? {} : { PID: pid }),
      ...(ipc === undefined ? {} : { IPC: ipc }),
      ...(network === undefined ? {} : { network }),
    },
  };
}

/** Whether a container that one is to join is down for a restart of its own, and may be joined when it is up again. */
export function joinsRestarting(parts: Pick<Known, 'registry'>, container: Container): boolean {
  return joinedBy(parts, container).some((it) => comesUp(parts, it, container));
}

/** Whether one that is down is to be started again, and does not itself wait for `waiting` to be up, over whatever number of others. */
function comesUp(parts: Pick<Known, 'registry'>, tracked: Tracked, waiting: Container): boolean {
  return isRestarting(tracked) && !waitsFor(parts, tracked, waiting, new Set());
}

function waitsFor(parts: Pick<Known, 'registry'>, tracked: Tracked, other: Container, seen: Set<Tracked>): boolean {
  if (seen.has(tracked) || !isRestarting(tracked)) return false;
  seen.add(tracked);
  const joined = joinedBy(parts, tracked.container);
  return joined.some((it) => it.container.id === other.id || waitsFor(parts, it, other, seen));
}

/** The containers that one joins, itself left out. */
function joinedBy({ registry }: Pick<Known, 'registry'>, { id, hostConfig }: Container): Tracked[] {
  const { IpcMode, PidMode, NetworkMode } = hostConfig;
  const refs = [IpcMode, PidMode, NetworkMode].filter(isContainerMode).map(peerOf);
  return registry.all().filter((it) => it.container.id !== id && refs.some((ref) => isMeant(it, ref)));
}

/** The network is named as it was asked for when its container was not there yet. */
const isMeant = ({ container: { id, name } }: Tracked, ref: string): boolean => ref === id || ref === name;

function running({ registry }: Known, id: string): Container {
  const tracked = registry.byId(id);
  if (tracked === undefined) throw invalid(`No such container: ${id}`);
  if (isRestarting(tracked)) throw conflict(`Container ${id} is restarting, wait until the container is running`);
  if (!isRunning(tracked)) throw conflict(`container ${id} is not running`);
  return tracked.container;
}

/** By hand, or waiting for its restart: there is no process to join. */
function isRestarting({ restarting, container }: Tracked): boolean {
  return restarting || container.state.status === 'restarting';
}

function ipcOwner(parts: Known, id: string): Container {
  try {
    const owner = running(parts, id);
    const shm = shmOf(parts, owner);
    if (shm !== undefined && existsSync(shm)) return owner;
    throw invalid('non-shareable IPC (hint: use IpcMode:shareable for the donor container)');
  } catch (error) {
    throw invalid(`can't join IPC of container ${id}: ${messageOf(error)}`, error);
  }
}

/** Follows a chain of containers to the one whose /dev/shm they all have. */
function shmOf(parts: Known, { id, hostConfig: { IpcMode } }: Container): string | undefined {
  if (IpcMode === 'host') return HOST_SHM;
  if (IpcMode === 'shareable') return join(parts.paths.bundles, id, SHM_DIR);
  if (!isContainerMode(IpcMode)) return undefined;
  const owner = parts.registry.byId(peerOf(IpcMode));
  return owner === undefined ? undefined : shmOf(parts, owner.container);
}

function networkOwner(parts: Known, container: Container): Container {
  const owner = parts.registry.find(peerOf(container.hostConfig.NetworkMode));
  if (owner.container.id === container.id) throw invalid(`cannot join own network of container: ${container.id}`);
  if (comesUp(parts, owner, container)) {
    throw conflict(`cannot join network of a restarting container: ${owner.container.id}`);
  }
  if (isRestarting(owner) || !isRunning(owner))
    throw conflict(`cannot join network of a non running container: ${owner.container.id}`);
  return owner.container;
}
