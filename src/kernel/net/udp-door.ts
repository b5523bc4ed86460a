import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { DoorTarget, HostDoor } from './tcp-door.ts';

/** A sender not heard of for so long is forgotten, as connection tracking does with a UDP stream. */
const IDLE_MS = 120_000;
/** Senders remembered at a time for one port; the longest silent one makes room. */
const MAX_PEERS = 1024;

interface Peer {
  socket: Socket;
  timer: NodeJS.Timeout;
}

/**
 * Binds a UDP port of the host, so that no other program takes it, and relays what NAT does not catch. Each sender
 * gets a socket of its own towards the container, which tells the answers apart.
 *
 * @param port 0 lets the kernel choose.
 * @throws the system error of `bind(2)`.
 */
export async function openUdpDoor(host: string, port: number, target: DoorTarget): Promise<HostDoor> {
  const peers = new Map<string, Peer>();
  const door = host.includes(':') ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  door.once('error', reject);
  door.bind({ address: host, port, exclusive: true }, resolve);
  try {
    await promise;
  } catch (error) {
    door.close();
    throw error;
  }
  door.off('error', reject).on('error', () => {});
  const drop = (key: string) => {
    const peer = peers.get(key);
    if (peer === undefined) return;
    peers.delete(key);
    clearTimeout(peer.timer);
    peer.socket.close();
  };
  const add = (key: string, sender: RemoteInfo): Peer => {
    const oldest = peers.size < MAX_PEERS ? undefined : peers.keys().next().value;
    if (oldest !== undefined) drop(oldest);
    const socket = createSocket('udp4');
    socket.on('error', () => drop(key));
    socket.on('message', (data) => door.send(data, sender.port, sender.address));
    return { socket, timer: setTimeout(drop, IDLE_MS, key).unref() };
  };
  door.on('message', (data, sender) => {
    const key = `${sender.address} ${sender.port}`;
    const peer = peers.get(key) ?? add(key, sender);
    peers.delete(key);
    peers.set(key, peer);
    peer.timer.refresh();
    peer.socket.send(data, target.port, target.address, () => {});
  });
  return {
    port: door.address().port,
    async [Symbol.asyncDispose]() {
      for (const key of peers.keys()) drop(key);
      await new Promise<void>((done) => door.close(done));
    },
  };
}
