import type { Container } from '../../engine/containers/model.ts';

export interface PortSummary {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: string;
}

/** `Ports` of a container in a list: one entry for each place a port is published, one for a port that is only exposed. */
export function portSummaries(ports: Container['ports']): PortSummary[] {
  return Object.entries(ports)
    .flatMap(([key, bindings]): PortSummary[] => {
      const [port = '', protocol = 'tcp'] = key.split('/');
      const base = { PrivatePort: Number(port), Type: protocol };
      if (bindings.length === 0) return [base];
      return bindings.map((at) => ({
        IP: at.HostIp,
        PrivatePort: Number(port),
        PublicPort: Number(at.HostPort),
        Type: protocol,
      }));
    })
    .toSorted((a, b) => a.PrivatePort - b.PrivatePort || (a.PublicPort ?? 0) - (b.PublicPort ?? 0));
}

/** `NetworkSettings.Ports`: a port that is only exposed maps to null. */
export function portMap(ports: Container['ports']): Record<string, readonly unknown[] | null> {
  return Object.fromEntries(Object.entries(ports).map(([key, at]) => [key, at.length === 0 ? null : at]));
}
