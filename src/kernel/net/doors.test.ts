import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { hasCode } from '../../util/errors.ts';
import { openTcpDoor } from './tcp-door.ts';
import { openUdpDoor } from './udp-door.ts';

async function tcpTarget(t: { after(work: () => void): void }) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(`got ${Buffer.concat(chunks).length}`));
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { address: '127.0.0.1', port: address.port };
}

test('a TCP door relays both ways and lets one side end first', async (t) => {
  await using door = await openTcpDoor('::1', 0, await tcpTarget(t));
  const client = connect({ host: '::1', port: door.port, allowHalfOpen: true });
  client.end(Buffer.alloc(300_000, 1));
  const [answer] = await once(client, 'data');
  assert.equal(String(answer), 'got 300000');
  await once(client, 'close');
});

test('a TCP door to nobody hangs up', async () => {
  await using door = await openTcpDoor('127.0.0.1', 0, { address: '127.0.0.1', port: 1 });
  const client = connect(door.port, '127.0.0.1');
  client.on('error', () => {});
  await new Promise((resolve) => client.on('close', resolve));
});

test('closing a TCP door ends what runs through it', async (t) => {
  const door = await openTcpDoor('127.0.0.1', 0, await tcpTarget(t));
  const client = connect(door.port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  client.write('x');
  const closed = new Promise((resolve) => client.on('close', resolve));
  await door[Symbol.asyncDispose]();
  await closed;
});

test('a port that is taken is EADDRINUSE, for both protocols', async () => {
  const nowhere = { address: '127.0.0.1', port: 9 };
  for (const open of [openTcpDoor, openUdpDoor]) {
    await using door = await open('127.0.0.1', 0, nowhere);
    await assert.rejects(open('127.0.0.1', door.port, nowhere), (error) => hasCode(error, 'EADDRINUSE'));
  }
});

test('a UDP door brings every sender its own answers', async (t) => {
  const target = createSocket('udp4');
  t.after(() => target.close());
  target.on('message', (data, from) => target.send(`echo ${data.toString()}`, from.port, from.address));
  target.bind(0, '127.0.0.1');
  await once(target, 'listening');
  await using door = await openUdpDoor('::1', 0, { address: '127.0.0.1', port: target.address().port });
  const senders = ['a', 'b', 'c'].map((name) => ({ name, socket: createSocket('udp6') }));
  t.after(() => senders.forEach(({ socket }) => socket.close()));
  for (const { name, socket } of senders) {
    const answer = once(socket, 'message');
    socket.send(name, door.port, '::1');
    const [data] = await answer;
    assert.equal(String(data), `echo ${name}`);
  }
});
