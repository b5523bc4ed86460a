import { isIP } from 'node:net';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { parsePortRange } from '../networks/port-requests.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/** Checks a port of a container, `80/tcp`. @throws `invalid` in Docker's words. */
function validatePort(spec: string): void {
  const [port = '', protocol = 'tcp'] = spec.split('/');
  if (parsePortRange(port) === undefined) throw invalid(`invalid port specification: "${port}"`);
  if (!PROTOCOLS.includes(protocol.toLowerCase())) throw invalid(`invalid port specification: "${spec}"`);
}

/** Checks exposed ports. @throws `invalid`. */
export function validateExposed(ports: ContainerConfig['ExposedPorts']): void {
  Object.keys(ports).forEach(validatePort);
}

/** Checks published ports: a host port may be a range, or nothing. @throws `invalid` in Docker's words. */
export function validateBindings(bindings: HostConfig['PortBindings']): void {
  for (const [spec, places] of Object.entries(bindings)) {
    validatePort(spec);
    for (const { HostIp, HostPort } of places) {
      if (HostPort !== '' && parsePortRange(HostPort) === undefined)
        throw invalid(`invalid port specification: "${HostPort}"`);
      if (HostIp !== '' && isIP(HostIp) === 0) throw invalid(`invalid IP address: ${HostIp}`);
    }
  }
}
