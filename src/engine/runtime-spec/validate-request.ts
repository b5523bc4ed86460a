import type { ContainerConfig, EndpointConfig, HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { isContainerMode } from './namespaces.ts';
import { refuseNulls } from './refuse-nulls.ts';
import { refuseUnsupportedConfig } from './unsupported.ts';
import { validateEndpoints } from './validate-endpoints.ts';

/**
 * Checks a request to create a container as it came, before the image's configuration and the defaults are filled in:
 * whether the user asked for a host name, say, cannot be told afterwards.
 *
 * @throws `invalid` in Docker's words for options that contradict each other, `unsupported` for what is to come, `not-found`
 * for a network.
 */
export function validateRequest(
  config: ContainerConfig,
  hostConfig: HostConfig,
  endpoints: Readonly<Record<string, EndpointConfig>> = {},
): void {
  const [conflict] = CONFLICTS.find(([, found]) => found(config, hostConfig)) ?? [];
  if (conflict !== undefined) throw invalid(conflict);
  refuseNulls(config, hostConfig);
  refuseUnsupportedConfig(config);
  validateEndpoints(endpoints, hostConfig.NetworkMode);
}

type Rule = readonly [message: string, found: (config: ContainerConfig, hostConfig: HostConfig) => boolean];

const some = (list: readonly unknown[] | null): boolean => (list ?? []).length > 0;
const any = (map: object): boolean => Object.keys(map).length > 0;
const onHost = ({ NetworkMode }: HostConfig): boolean => NetworkMode === 'host';
const joined = ({ NetworkMode }: HostConfig): boolean => isContainerMode(NetworkMode);

/** What Docker refuses, in its order. */
const CONFLICTS: readonly Rule[] = [
  ['conflicting options: hostname and the network mode', (config, host) => joined(host) && config.Hostname !== ''],
  [
    'conflicting options: hostname and the UTS mode',
    (config, { UTSMode }) => UTSMode === 'host' && config.Hostname !== '',
  ],
  [
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    (_, host) => onHost(host) && some(host.Links),
  ],
  [
    "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    (_, host) => joined(host) && some(host.Links),
  ],
  ['conflicting options: dns and the network mode', (_, host) => joined(host) && some(host.Dns)],
  [
    'conflicting options: custom host-to-IP mapping and the network mode',
    (_, host) => joined(host) && some(host.ExtraHosts),
  ],
  [
    'conflicting options: mac-address and the network mode',
    (config, host) => (joined(host) || onHost(host)) && config.MacAddress !== '',
  ],
  [
    'conflicting options: port publishing and the container type network mode',
    (_, host) => joined(host) && (host.PublishAllPorts || any(host.PortBindings)),
  ],
  [
    'conflicting options: port exposing and the container type network mode',
    (config, host) => joined(host) && any(config.ExposedPorts),
  ],
  ['SHM size can not be less than 0', (_, { ShmSize }) => ShmSize < 0],
];
