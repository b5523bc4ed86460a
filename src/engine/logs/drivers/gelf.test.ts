import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogMessage } from './driver.ts';
import { gelf } from './gelf.ts';
import { gelfDatagrams } from './gelf-datagrams.ts';

const subject = {
  id: 'f'.repeat(64),
  name: 'web',
  imageId: 'sha256:0',
  imageName: 'busybox',
  created: '2026-01-01T00:00:00Z',
  command: ['true'],
  labels: { _own: '1', other: '2' },
  env: [],
  path: '',
};
const say = (line: string): LogMessage => ({ stream: 'stderr', line: Buffer.from(line), time: 1_234_567_890n });

/** A receiver that can be made to go away, and to come back on the same port. */
async function receiver(port = 0) {
  const sockets = new Set<Socket>();
  let got = '';
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => (got += String(chunk)));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    messages: async (count: number) => {
      while (got.split('\0').length <= count) await sleep(5);
      return got.split('\0').slice(0, -1);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const to = (port: number) => ({
  'gelf-address': `tcp://127.0.0.1:${port}`,
  'gelf-tcp-max-reconnect': '1',
  'gelf-tcp-reconnect-delay': '0',
  labels: '_own,other',
});

test('a message over TCP: its fields, and a zero behind it; an empty line is none', async () => {
  await using there = await receiver();
  const sink = gelf.open(to(there.port), subject);
  await sink.connect();
  await sink.send(say(''));
  await sink.send(say('hello'));
  const [message = ''] = await there.messages(1);
  const { host: _, ...fields } = JSON.parse(message) as Record<string, unknown>;
  assert.deepEqual(fields, {
    version: '1.1',
    short_message: 'hello',
    timestamp: 1.234,
    level: 3,
    _own: '1',
    _other: '2',
    _command: 'true',
    _container_id: subject.id,
    _container_name: 'web',
    _created: subject.created,
    _image_id: 'sha256:0',
    _image_name: 'busybox',
    _tag: 'ffffffffffff',
  });
  sink.close();
});

test('a receiver that comes back gets the message; one that does not costs it after its tries', async () => {
  const first = await receiver();
  const sink = gelf.open(to(first.port), subject);
  await sink.send(say('one'));
  await first.messages(1);
  await first[Symbol.asyncDispose]();
  // What is sent before its end was noticed is lost without a word.
  const keepSending = async (): Promise<never> => {
    for (;;) await Promise.all([sink.send(say('lost')), sleep(5)]);
  };
  await assert.rejects(keepSending(), /connection refused/);
  await using again = await receiver(first.port);
  await sink.send(say('two'));
  assert.match((await again.messages(1))[0] ?? '', /"short_message":"two"/);
  sink.close();
  await assert.rejects(sink.send(say('late')), /closed|aborted/);
});

test('a message that would need too many chunks is lost', () => {
  assert.equal(gelfDatagrams(Buffer.alloc(1408 * 128), 'none', 1).length, 128);
  assert.throws(() => gelfDatagrams(Buffer.alloc(1408 * 128 + 1), 'none', 1), /msg too large, would need 129 chunks/);
});

test('levels of compression', () => {
  const message = Buffer.from('a line, a line, another line. '.repeat(40));
  const length = (level: number): number => gelfDatagrams(message, 'zlib', level)[0]?.length ?? 0;
  assert.ok(length(0) > message.length && length(9) < length(0) && length(-1) === length(6));
});
