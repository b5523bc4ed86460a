import { isIP } from 'node:net';
import type { PortRequest, PublishedPort } from '../../kernel/net/host-ports.ts';
import type { PortBinding } from '../../spec/container.ts';
import { invalid, unsupported } from '../../util/errors.ts';

/** What of a container's ports is asked for; the fields of `JoinRequest`. */
export interface PortsWanted {
  portBindings: Readonly<Record<string, readonly PortBinding[]>>;
  publishAll: boolean;
  exposed: readonly string[];
}

interface ContainerPort {
  port: number;
  protocol: string;
}

/** Parses a port or a range, `80` or `8000-8010`; undefined when it is neither. */
export function parsePortRange(text: string): { from: number; to: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from <= to && to <= 65535 ? { from, to } : undefined;
}

/** The container's ports in a key such as `80/tcp`, `53/udp`, `80`, `8000-8010/tcp`. @throws `invalid`. */
export function containerPorts(key: string): ContainerPort[] {
  const [number = '', protocol = 'tcp', ...rest] = key.split('/');
  const range = parsePortRange(number);
  if (range === undefined || rest.length > 0 || !/^(tcp|udp|sctp)$/i.test(protocol)) {
    throw invalid(`invalid port specification: "${key}"`);
  }
  const count = range.to - range.from + 1;
  return Array.from({ length: count }, (_, i) => ({ port: range.from + i, protocol: protocol.toLowerCase() }));
}

/** Keys of all ports a container has, published or only exposed, each once. */
export function portKeys({ portBindings, exposed }: PortsWanted): string[] {
  const keys = [...exposed, ...Object.keys(portBindings)].flatMap(containerPorts);
  return [...new Set(keys.map(({ port, protocol }) => `${port}/${protocol}`))];
}

/**
 * The host ports to take. With `publishAll` every exposed port without a binding gets a free one.
 *
 * @throws `invalid` in Docker's words; `unsupported` for SCTP.
 */
export function portRequests(wanted: PortsWanted): PortRequest[] {
  const bindings = new Map<string, readonly PortBinding[]>();
  if (wanted.publishAll) for (const key of portKeys(wanted)) bindings.set(key, [{ HostIp: '', HostPort: '' }]);
  for (const [key, list] of Object.entries(wanted.portBindings)) {
    for (const { port, protocol } of containerPorts(key)) {
      if (list.length > 0) bindings.set(`${port}/${protocol}`, list);
    }
  }
  return [...bindings].flatMap(([key, list]) => list.map((binding) => requestOf(key, binding)));
}

function requestOf(key: string, { HostIp, HostPort }: PortBinding): PortRequest {
  const [{ port, protocol } = { port: 0, protocol: '' }] = containerPorts(key);
  if (protocol !== 'tcp' && protocol !== 'udp') throw unsupported('publishing SCTP ports is not supported yet');
  const range = HostPort === '' ? { from: 0, to: 0 } : parsePortRange(HostPort);
  if (range === undefined) throw invalid(`invalid port specification: "${HostPort}"`);
  if (HostIp !== '' && isIP(HostIp) === 0) throw invalid(`invalid IP address: ${HostIp}`);
  return { protocol, containerPort: port, hostIp: HostIp, ...range };
}

/** `NetworkSettings.Ports`: every key the container has, with where it is published. */
export function portMap(keys: readonly string[], published: readonly PublishedPort[]): Record<string, PortBinding[]> {
  const map: Record<string, PortBinding[]> = Object.fromEntries(keys.map((key) => [key, []]));
  for (const { protocol, containerPort, hostIp, hostPort } of published) {
    const list = (map[`${containerPort}/${protocol}`] ??= []);
    list.push({ HostIp: hostIp, HostPort: String(hostPort) });
  }
  return map;
}
