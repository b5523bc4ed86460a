import type { Sandbox } from '../networks/networks.ts';
import type { Container, Endpoint } from './model.ts';

/** Shows the sandbox a container runs in, or that it has none; as in Docker it still tells then which networks it was in. */
export function useNetwork(container: Container, sandbox: Sandbox | undefined): void {
  container.endpoints = sandbox?.endpoints ?? left(container.endpoints);
  container.ports = sandbox?.ports ?? {};
  container.sandboxKey = sandbox?.key ?? '';
}

function left(endpoints: Container['endpoints']): Record<string, Endpoint> {
  const nowhere = { endpointId: '', gateway: '', ipAddress: '', prefixLength: 0, macAddress: '' };
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, { networkId }]) => [name, { networkId, ...nowhere }]),
  );
}
