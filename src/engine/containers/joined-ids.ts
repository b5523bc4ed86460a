import type { HostConfig } from '../../spec/container.ts';
import { invalid, kindOf, messageOf } from '../../util/errors.ts';
import { isContainerMode, peerOf } from '../runtime-spec/namespaces.ts';
import type { Registry } from './registry.ts';

/**
 * Puts ids in the place of names wherever a container joins another, as a name may be given to somebody else later. A
 * network is looked for again at the start, so its container need not be there yet.
 *
 * @throws `invalid` in Docker's words for an unknown container.
 */
export function withJoinedIds(hostConfig: HostConfig, registry: Pick<Registry, 'find'>): HostConfig {
  return {
    ...hostConfig,
    IpcMode: byId(hostConfig.IpcMode, registry),
    PidMode: byId(hostConfig.PidMode, registry),
    NetworkMode: byIdIfKnown(hostConfig.NetworkMode, registry),
  };
}

function byId(mode: string, registry: Pick<Registry, 'find'>): string {
  if (!isContainerMode(mode)) return mode;
  try {
    return `container:${registry.find(peerOf(mode)).container.id}`;
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
}

function byIdIfKnown(mode: string, registry: Pick<Registry, 'find'>): string {
  try {
    return byId(mode, registry);
  } catch (error) {
    if (kindOf(error) === 'invalid') return mode;
    throw error;
  }
}
