import type { Sandbox } from '../networks/networks.ts';
import type { Container } from './model.ts';

/** Shows the sandbox a container runs in, or that it has none. */
export function useNetwork(container: Container, sandbox: Sandbox | undefined): void {
  container.endpoints = sandbox?.endpoints ?? {};
  container.ports = sandbox?.ports ?? {};
  container.sandboxKey = sandbox?.key ?? '';
}
