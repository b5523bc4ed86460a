import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../util/spawn.ts';
import {
  ask,
  askFrom,
  eventually,
  joinRequest,
  needsRoot,
  ownPort,
  serve,
  testHost,
  traces,
} from './network-fixture.ts';

const any = [{ HostIp: '', HostPort: '' }];

test('a container gets an address, and gives it back', needsRoot, async (t) => {
  await using stack = await testHost(t).open();
  const sandbox = await stack.join(joinRequest('one'));
  const { bridge } = sandbox.endpoints;
  assert.ok(bridge && sandbox.netnsPath !== undefined);
  assert.equal(bridge.networkId, stack.get('bridge').id);
  assert.match(bridge.ipAddress, /^(172\.(1[7-9]|2\d|3[01])|192\.168)\./);
  assert.match(bridge.macAddress, /^02:42:/);
  assert.deepEqual(stack.sandbox('one'), sandbox);
  await assert.rejects(stack.join(joinRequest('one')), { kind: 'conflict' });
  await stack.leave('one');
  await stack.leave('one');
  assert.equal(stack.sandbox('one'), undefined);
  assert.ok(!existsSync(sandbox.netnsPath));
});

test('a published port answers on every address of the host, and a neighbour hears', needsRoot, async (t) => {
  await using stack = await testHost(t).open();
  const web = await stack.join(joinRequest('web', { portBindings: ownPort(), exposed: ['90/udp'] }));
  const other = await stack.join(joinRequest('other'));
  await using server = await serve(web, 80);
  assert.ok(server);
  const port = Number(web.ports['80/tcp']?.[0]?.HostPort);
  assert.deepEqual(web.ports['90/udp'], []);
  const { gateway = '', ipAddress = '' } = web.endpoints['bridge'] ?? {};
  assert.equal(await ask('127.0.0.1', port), `tcp from ${gateway}`);
  assert.equal(await ask(ipAddress, 80), `tcp from ${gateway}`);
  assert.match(await ask('::1', port), /^tcp from /, 'IPv6 goes through the listener');
  assert.match(await askFrom(other, gateway, port), /^tcp from /, 'a neighbour, by the published port');
  assert.match(await askFrom(web, gateway, port), /^tcp from /, 'the container itself, by its published port');
  assert.equal(await askFrom(other, ipAddress, 80), `tcp from ${other.endpoints['bridge']?.ipAddress}`);
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = own.find(({ family, internal, address }) => family === 'IPv4' && !internal && address !== gateway);
  if (outer !== undefined) assert.match(await ask(outer.address, port), /^tcp from /);
  await stack.leave('web');
  assert.equal(await ask('127.0.0.1', port), 'ECONNREFUSED');
});

test('UDP is published too, on one address only when asked so', needsRoot, async (t) => {
  await using stack = await testHost(t).open();
  const portBindings = { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] };
  const sandbox = await stack.join(joinRequest('dns', { portBindings }));
  await using server = await serve(sandbox, 53);
  assert.ok(server);
  assert.deepEqual(
    sandbox.ports['53/udp']?.map(({ HostIp }) => HostIp),
    ['127.0.0.1'],
  );
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.send('x', Number(sandbox.ports['53/udp']?.[0]?.HostPort), '127.0.0.1');
  const [answer] = await once(socket, 'message');
  assert.equal(String(answer), `udp from ${sandbox.endpoints['bridge']?.gateway}`);
});

test('127.0.0.1 stays closed to containers', needsRoot, async (t) => {
  await using stack = await testHost(t).open();
  const server = createServer((socket) => socket.end('secret'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const sandbox = await stack.join(joinRequest('thief'));
  // Sends packets for 127.0.0.1 to the bridge, as a container with NET_ADMIN can.
  const inside = [`--net=${sandbox.netnsPath}`, 'sh', '-c'];
  const gateway = sandbox.endpoints['bridge']?.gateway ?? '';
  const script = `ip addr del 127.0.0.1/8 dev lo; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
    ip route add 127.0.0.1/32 via ${gateway} dev eth0 src ${sandbox.endpoints['bridge']?.ipAddress}
    ip route get 127.0.0.1`;
  const route = await run('nsenter', [...inside, script]);
  assert.match(route.stdout, /dev eth0/);
  assert.notEqual(await askFrom(sandbox, '127.0.0.1', address.port), 'secret');
});

test('a taken port fails in Docker’s words and leaves nothing', needsRoot, async (t) => {
  const host = testHost(t);
  await using stack = await host.open();
  const first = await stack.join(joinRequest('a', { portBindings: { '80/tcp': any } }));
  const HostPort = first.ports['80/tcp']?.[0]?.HostPort ?? '';
  const portBindings = { '81/tcp': any, '80/tcp': [{ HostIp: '', HostPort }] };
  await assert.rejects(stack.join(joinRequest('b', { portBindings })), {
    kind: 'internal',
    message: new RegExp(
      `^driver failed programming external connectivity on endpoint b \\([0-9a-f]{64}\\): Bind for 0\\.0\\.0\\.0:${HostPort} failed: port is already allocated$`,
    ),
  });
  assert.equal(stack.sandbox('b'), undefined);
  await stack.leave('a');
  const again = await stack.join(joinRequest('b', { portBindings }));
  assert.equal(again.ports['80/tcp']?.[0]?.HostPort, HostPort);
});

test('none, host, and the network of another container', needsRoot, async (t) => {
  await using stack = await testHost(t).open();
  const none = await stack.join(joinRequest('n', { mode: 'none' }));
  assert.deepEqual(none.endpoints['none']?.ipAddress, '');
  const links = await run('nsenter', [`--net=${none.netnsPath}`, 'ip', '-o', 'link']);
  assert.equal(links.stdout.trim().split('\n').length, 1);
  const onHost = await stack.join(joinRequest('h', { mode: 'host' }));
  assert.equal(onHost.netnsPath, undefined);
  assert.equal(onHost.endpoints['host']?.networkId, stack.get('host').id);
  const shared = await stack.join(joinRequest('s', { mode: 'container:n' }));
  assert.deepEqual([shared.netnsPath, shared.endpoints], [none.netnsPath, {}]);
  await stack.leave('s');
  assert.ok(existsSync(none.netnsPath ?? ''), 'it belongs to the other');
  await assert.rejects(stack.join(joinRequest('x', { mode: 'container:gone' })), {
    kind: 'conflict',
    message: 'cannot join network of a non running container: gone',
  });
  await assert.rejects(stack.join(joinRequest('x', { mode: 'nope' })), { message: 'network nope not found' });
});

test('a namespace that cannot be removed does not keep its container from joining again', needsRoot, async (t) => {
  const host = testHost(t);
  await using stack = await host.open();
  const { netnsPath = '' } = await stack.join(joinRequest('a'));
  await run('ip', ['netns', 'del', basename(netnsPath)]);
  mkdirSync(netnsPath);
  await assert.rejects(stack.leave('a'), /cannot remove the network namespace/);
  assert.equal(stack.sandbox('a'), undefined);
  assert.deepEqual(readdirSync(join(host.dir, 'network')), []);
  rmdirSync(netnsPath);
  assert.notEqual((await stack.join(joinRequest('a'))).netnsPath, netnsPath);
});

test('a container that cannot be written down leaves no namespace', needsRoot, async (t) => {
  const host = testHost(t);
  await using stack = await host.open();
  // A directory in the record's place cannot be replaced.
  const inTheWay = join(host.dir, 'network', 'a.json');
  mkdirSync(inTheWay);
  for (const mode of ['none', 'bridge']) {
    await assert.rejects(stack.join(joinRequest('a', { mode })), { code: 'EISDIR' });
  }
  const made = (await traces(host.tag)).filter((line) => line.startsWith('gantry-'));
  assert.ok(made.length <= 2, `only what waits to be taken: ${made.join()}`);
  assert.deepEqual(readdirSync(join(host.dir, 'network')), ['a.json']);
  rmdirSync(inTheWay);
});

test('engines side by side have subnets of their own; ids and subnet are remembered', needsRoot, async (t) => {
  const [host, ...others] = [testHost(t), testHost(t), testHost(t)];
  const stacks = await Promise.all([host, ...others].map((each) => each.open()));
  const subnets = stacks.map((stack) => stack.get('bridge').ipam[0]?.subnet);
  assert.equal(new Set(subnets).size, 3);
  const before = stacks[0]?.list(new Map());
  await Promise.all(stacks.map((stack) => stack[Symbol.asyncDispose]()));
  await using again = await host.open();
  assert.deepEqual(again.list(new Map()), before);
});

test('--bip is the address of the bridge', needsRoot, async (t) => {
  const host = testHost(t);
  await using stack = await host.open({ bip: '198.51.100.9/28' });
  assert.deepEqual(stack.get('bridge').ipam, [{ subnet: '198.51.100.0/28', gateway: '198.51.100.9' }]);
  const { bridge } = (await stack.join(joinRequest('a'))).endpoints;
  assert.equal(bridge?.gateway, '198.51.100.9');
  for (const bip of ['198.51.100.9', 'x/24', '198.51.100.0/24', '198.51.100.1/31']) {
    await assert.rejects(host.open({ bip }), { kind: 'invalid' }, bip);
  }
});

test('two hundred containers at once, and then no trace of them', needsRoot, async (t) => {
  const host = testHost(t);
  await using stack = await host.open();
  const ids = Array.from({ length: 200 }, (_, i) => `c${i}`);
  const sandboxes = await Promise.all(ids.map((id) => stack.join(joinRequest(id))));
  assert.equal(new Set(sandboxes.map(({ endpoints }) => endpoints['bridge']?.ipAddress)).size, 200);
  await Promise.all(ids.map((id) => stack.leave(id)));
  const names = async () => (await traces(host.tag)).filter((line) => line.startsWith('gantry-'));
  await eventually(async () => (await names()).length <= 2);
});
