import type { Container } from '../../engine/containers/model.ts';
import type { NetworkView } from '../../engine/engine.ts';

function attached(network: NetworkView, containers: readonly Container[]): Record<string, object> {
  const shown: Record<string, object> = {};
  for (const c of containers) {
    for (const at of Object.values(c.endpoints)) {
      if (at.networkId !== network.id || at.endpointId === '') continue;
      const IPv4Address = at.ipAddress === '' ? '' : `${at.ipAddress}/${at.prefixLength}`;
      shown[c.id] = {
        Name: c.name,
        EndpointID: at.endpointId,
        MacAddress: at.macAddress,
        IPv4Address,
        IPv6Address: '',
      };
    }
  }
  return shown;
}

/** A network; `containers` are those to show as attached, which only `inspect` does. */
export function networkShape(network: NetworkView, o: { containers: readonly Container[]; api: number }) {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    ...(o.api >= 48 ? { EnableIPv4: true } : {}),
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: network.ipam.map(({ subnet, gateway }) => ({
        Subnet: subnet,
        ...(gateway === '' ? {} : { Gateway: gateway }),
      })),
    },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: attached(network, o.containers),
    Options: network.options,
    Labels: network.labels,
  };
}
