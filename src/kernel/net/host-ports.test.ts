import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { HostPorts, type PortRequest } from './host-ports.ts';

const want = (fields: Partial<PortRequest>): PortRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '127.0.0.1',
  from: 0,
  to: 0,
  ...fields,
});

async function busyPort(t: { after(work: () => void): void }): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a free port is from the range of the kernel, and each time another', async () => {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
  const ports = new HostPorts();
  await using a = await ports.publish([want({}), want({ protocol: 'udp', containerPort: 53 })], '127.0.0.1');
  await using b = await ports.publish([want({})], '127.0.0.1');
  const numbers = [...a.ports, ...b.ports].map(({ hostPort }) => hostPort);
  assert.equal(new Set(numbers).size, 3);
  assert.ok(numbers.every((port) => port >= first && port <= last));
});

test('a port another program listens on is refused in Docker’s words, and nothing stays open', async (t) => {
  const ports = new HostPorts();
  const busy = await busyPort(t);
  await using free = await ports.publish([want({})], '127.0.0.1');
  const other = free.ports[0]?.hostPort ?? assert.fail();
  await free[Symbol.asyncDispose]();
  const both = [want({ from: other, to: other }), want({ from: busy, to: busy })];
  await assert.rejects(ports.publish(both, '127.0.0.1'), {
    kind: 'internal',
    message: `Bind for 127.0.0.1:${busy} failed: port is already allocated`,
  });
  await using again = await ports.publish([want({ from: other, to: other })], '127.0.0.1');
  assert.equal(again.ports[0]?.hostPort, other);
});

test('any free port is none that another request of the same container names', async () => {
  const ports = new HostPorts();
  const next = await ports.publish([want({})], '127.0.0.1');
  const named = (next.ports[0]?.hostPort ?? 0) + 1;
  await next[Symbol.asyncDispose]();
  const requests = [want({}), want({ containerPort: 81, from: named, to: named })];
  await using both = await ports.publish(requests, '127.0.0.1');
  assert.deepEqual(
    both.ports.map(({ containerPort }) => containerPort),
    [80, 81],
  );
  assert.equal(both.ports[1]?.hostPort, named);
});

test('of a range the first free port is taken, and none left is an error', async (t) => {
  const busy = await busyPort(t);
  const ports = new HostPorts();
  await using held = await ports.publish([want({ from: busy, to: busy + 20 })], '127.0.0.1');
  assert.ok((held.ports[0]?.hostPort ?? 0) > busy);
  const resumed = await ports.resume(held.ports, '127.0.0.1', () => {});
  await resumed[Symbol.asyncDispose]();
});

test('an address the host does not have is refused in Docker’s words', async () => {
  await assert.rejects(new HostPorts().publish([want({ hostIp: '198.51.100.7', from: 80, to: 80 })], '127.0.0.1'), {
    message: 'Error starting userland proxy: listen tcp4 198.51.100.7:80: bind: cannot assign requested address',
  });
});

test('after a restart a port that somebody took meanwhile is reported, the others are held', async (t) => {
  const busy = await busyPort(t);
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: busy } as const;
  const lost: number[] = [];
  const publication = await new HostPorts().resume([port], '127.0.0.1', ({ hostPort }) => lost.push(hostPort));
  await publication[Symbol.asyncDispose]();
  assert.deepEqual(lost, [busy]);
});
