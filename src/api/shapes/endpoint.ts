import type { Container, Endpoint } from '../../engine/containers/model.ts';
import type { EndpointConfig } from '../../spec/container.ts';
import { shortId } from '../../util/id.ts';

const emptyToNull = <T extends object>(value: T | null | undefined): T | null =>
  value && Object.keys(value).length > 0 ? value : null;

function endpointSettings(c: Container, asked: EndpointConfig | undefined, at: Endpoint | undefined, api: number) {
  const aliases = asked?.Aliases ?? null;
  return {
    IPAMConfig: asked?.IPAMConfig ?? null,
    Links: asked?.Links ?? null,
    Aliases: aliases,
    MacAddress: at?.macAddress ?? '',
    DriverOpts: emptyToNull(asked?.DriverOpts),
    ...(api >= 48 ? { GwPriority: asked?.GwPriority ?? 0 } : {}),
    NetworkID: at?.networkId ?? '',
    EndpointID: at?.endpointId ?? '',
    Gateway: at?.gateway ?? '',
    IPAddress: at?.ipAddress ?? '',
    IPPrefixLen: at?.prefixLength ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    ...(api >= 44 ? { DNSNames: aliases === null ? null : [c.name, ...aliases, shortId(c.id)] } : {}),
  };
}

const networkName = (mode: string): string => (mode === 'default' ? 'bridge' : mode);

/** The network a container is in by its mode, shown also while it does not run; another container's is not its own. */
function modeNetwork({ hostConfig: { NetworkMode: mode } }: Container): string[] {
  return mode === '' || mode.startsWith('container:') ? [] : [networkName(mode)];
}

/** `NetworkSettings.Networks`: each network the container is to join or has joined. */
export function networkEndpoints(c: Container, api: number): Record<string, ReturnType<typeof endpointSettings>> {
  const asked = Object.fromEntries(Object.entries(c.networks).map(([name, config]) => [networkName(name), config]));
  const names = new Set([...modeNetwork(c), ...Object.keys(asked), ...Object.keys(c.endpoints)]);
  return Object.fromEntries([...names].map((name) => [name, endpointSettings(c, asked[name], c.endpoints[name], api)]));
}
