import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogMessage } from './driver.ts';
import { fluentd } from './fluentd.ts';
import { pack } from './msgpack.ts';

const subject = {
  id: 'f'.repeat(64),
  name: 'web',
  imageId: 'sha256:0',
  imageName: 'busybox',
  created: '2026-01-01T00:00:00Z',
  command: ['true'],
  labels: {},
  env: [],
  path: '',
};

const say = (line: string): LogMessage => ({ stream: 'stdout', line: Buffer.from(line), time: 1_000_000_000n });

/** A receiver whose answer to the `n`th connection is up to the test. */
async function receiver(answer: (socket: Socket, chunk: string, connection: number) => void) {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      // Twenty-four characters of base64, behind the key.
      for (const [, chunk = ''] of bytes.toString('latin1').matchAll(/chunk\xb8(.{24})/gs))
        answer(socket, chunk, connection);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    options: {
      'fluentd-address': `127.0.0.1:${(server.address() as AddressInfo).port}`,
      'fluentd-request-ack': 'true',
    },
    sockets,
    connections: () => connections,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const acknowledge = (socket: Socket, chunk: string) => void socket.write(pack({ ack: chunk }));

test('each message waits for its acknowledgement, and a thousand leave nothing on the connection', async () => {
  const seen: string[] = [];
  using there = await receiver((socket, chunk) => {
    seen.push(chunk);
    acknowledge(socket, chunk);
  });
  const sink = fluentd.open(there.options, subject);
  await sink.connect();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  for (let i = 0; i < 1000; i++) await sink.send(say(`line ${i}`));
  process.off('warning', onWarning);
  sink.close();
  assert.equal(new Set(seen).size, 1000);
  assert.equal(there.connections(), 1);
  assert.deepEqual(warnings, []);
});

test('a receiver that goes away before it acknowledges gets the message again', async () => {
  using there = await receiver((socket, chunk, connection) => {
    if (connection === 1) socket.destroy();
    else acknowledge(socket, chunk);
  });
  const sink = fluentd.open({ ...there.options, 'fluentd-retry-wait': '1ms' }, subject);
  await sink.send(say('once more'));
  assert.equal(there.connections(), 2);
  sink.close();
});

test('a receiver that never acknowledges costs the message after its time and its tries', async () => {
  using there = await receiver(() => {});
  const limits = { 'fluentd-retry-wait': '1ms', 'fluentd-max-retries': '2', 'fluentd-read-timeout': '30ms' };
  const sink = fluentd.open({ ...there.options, ...limits }, subject);
  await assert.rejects(sink.send(say('lost')), /i\/o timeout/);
  assert.equal(there.connections(), 3);
  sink.close();
});

test('a log that is closed lets go of what waits for an acknowledgement', async () => {
  const asked = Promise.withResolvers<void>();
  using there = await receiver(() => asked.resolve());
  const sink = fluentd.open(there.options, subject);
  const sent = assert.rejects(sink.send(say('left')));
  await asked.promise;
  sink.close();
  await sent;
});

test('a connection is made anew after its time, when that was asked for', async () => {
  using there = await receiver(acknowledge);
  const renewed = { 'fluentd-async': 'true', 'fluentd-async-reconnect-interval': '100ms' };
  for (const [options, connections] of [
    [renewed, 2],
    [{ 'fluentd-async-reconnect-interval': '100ms' }, 3],
  ] as const) {
    const sink = fluentd.open({ ...there.options, ...options }, subject);
    for (const line of ['one', 'two']) {
      await sink.send(say(line));
      await sleep(120);
    }
    assert.equal(there.connections(), connections);
    sink.close();
  }
});
