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

/** `NetworkSettings.Networks`: each network the container is to join or has joined. */
export function networkEndpoints(c: Container, api: number): Record<string, ReturnType<typeof endpointSettings>> {
  const names = new Set([...Object.keys(c.networks), ...Object.keys(c.endpoints)]);
  return Object.fromEntries(
    [...names].map((name) => [name, endpointSettings(c, c.networks[name], c.endpoints[name], api)]),
  );
}
