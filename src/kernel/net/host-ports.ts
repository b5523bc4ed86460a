import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type GantryError, hasCode, internal, messageOf } from '../../util/errors.ts';
import type { PortProtocol } from './nft-table.ts';
import { type DoorTarget, type HostDoor, openTcpDoor } from './tcp-door.ts';
import { openUdpDoor } from './udp-door.ts';

/** What a container wants published. */
export interface PortRequest {
  protocol: PortProtocol;
  containerPort: number;
  /** An address of the host; empty: any, over IPv4 and IPv6. */
  hostIp: string;
  /** First and last acceptable host port; 0 and 0: any free one. */
  from: number;
  to: number;
}

/** A published port: one address of the host, `0.0.0.0` and `::` standing for any. */
export interface PublishedPort {
  protocol: PortProtocol;
  containerPort: number;
  hostIp: string;
  hostPort: number;
}

/** Host ports in our hands, and what keeps them there. */
export interface Publication extends AsyncDisposable {
  readonly ports: readonly PublishedPort[];
}

/** The host's ports, each held by a listening socket of this process while it is published. */
export class HostPorts {
  /** Engines that start in different places seldom want the same port. */
  #lastEphemeral = randomInt(65_536);

  /**
   * Takes a host port for every request, all or none.
   *
   * @throws `internal` in Docker's words when one is in use, by us or by another program.
   */
  async publish(requests: readonly PortRequest[], containerIp: string): Promise<Publication> {
    await using stack = new AsyncDisposableStack();
    const held = new Map<PortRequest, readonly PublishedPort[]>();
    // Any free port may be one that another request of the same container names: those come first.
    for (const request of requests.toSorted((a, b) => Number(a.from === 0) - Number(b.from === 0))) {
      const { ports, doors } = await this.#hold(request, { address: containerIp, port: request.containerPort });
      stack.use(doors);
      held.set(request, ports);
    }
    const doors = stack.move();
    const ports = requests.flatMap((request) => held.get(request) ?? []);
    return { ports, [Symbol.asyncDispose]: () => doors.disposeAsync() };
  }

  /** Takes ports that were published by an earlier daemon; those that others took since are given to `onLost`. */
  async resume(
    ports: readonly PublishedPort[],
    containerIp: string,
    onLost: (port: PublishedPort, error: unknown) => void,
  ): Promise<Publication> {
    await using stack = new AsyncDisposableStack();
    for (const port of ports) {
      try {
        stack.use(await openDoor(port, { address: containerIp, port: port.containerPort }));
      } catch (error) {
        onLost(port, error);
      }
    }
    const doors = stack.move();
    return { ports, [Symbol.asyncDispose]: () => doors.disposeAsync() };
  }

  async #hold(request: PortRequest, target: DoorTarget) {
    const { protocol, containerPort } = request;
    const hostIps = request.hostIp === '' ? ['0.0.0.0', '::'] : [request.hostIp];
    for (const hostPort of this.#candidates(request)) {
      const ports = hostIps.map((hostIp) => ({ protocol, containerPort, hostIp, hostPort }));
      try {
        return await openAll(ports, target);
      } catch (error) {
        if (!hasCode(error, 'EADDRINUSE')) throw bindError(ports[0]?.hostIp ?? '', hostPort, protocol, error);
        if (request.from !== 0 && request.from === request.to) throw taken(ports[0]?.hostIp ?? '', hostPort);
      }
    }
    throw internal('all ports are allocated');
  }

  *#candidates({ from, to }: PortRequest): Generator<number> {
    if (from !== 0) {
      for (let port = from; port <= to; port += 1) yield port;
      return;
    }
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    const [first, last] = [Number(range[0]), Number(range[1])];
    for (let tries = first; tries <= last; tries += 1) {
      const after = this.#lastEphemeral + 1;
      this.#lastEphemeral = after < first || after > last ? first : after;
      yield this.#lastEphemeral;
    }
  }
}

async function openAll(wanted: readonly PublishedPort[], target: DoorTarget) {
  await using stack = new AsyncDisposableStack();
  const ports: PublishedPort[] = [];
  for (const port of wanted) {
    try {
      stack.use(await openDoor(port, target));
      ports.push(port);
    } catch (error) {
      // A host without IPv6: `any address` then means any of IPv4.
      if (!(wanted.length > 1 && port.hostIp === '::' && hasCode(error, 'EAFNOSUPPORT', 'EADDRNOTAVAIL'))) throw error;
    }
  }
  return { ports, doors: stack.move() };
}

function openDoor({ protocol, hostIp, hostPort }: PublishedPort, target: DoorTarget): Promise<HostDoor> {
  return (protocol === 'tcp' ? openTcpDoor : openUdpDoor)(hostIp, hostPort, target);
}

const at = (hostIp: string, port: number): string =>
  hostIp.includes(':') ? `[${hostIp}]:${port}` : `${hostIp}:${port}`;

const taken = (hostIp: string, port: number): GantryError =>
  internal(`Bind for ${at(hostIp, port)} failed: port is already allocated`);

const BIND_TEXTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EAFNOSUPPORT: 'address family not supported by protocol',
};

function bindError(hostIp: string, port: number, protocol: PortProtocol, error: unknown): GantryError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const version = hostIp.includes(':') ? '6' : '4';
  const text = BIND_TEXTS[code] ?? messageOf(error);
  return internal(
    `Error starting userland proxy: listen ${protocol}${version} ${at(hostIp, port)}: bind: ${text}`,
    error,
  );
}
