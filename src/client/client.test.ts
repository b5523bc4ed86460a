import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { openClient } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import { frameReader } from './frames.ts';
import { jsonLines, parseExact } from './json-stream.ts';
import { encodeQuery, openTransport } from './transport.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

async function engine(handler: Handler, upgrade?: (req: IncomingMessage, socket: Duplex) => void) {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  const path = join(dir, 's.sock');
  const server: Server = createServer((req, res) => {
    if (req.url === '/_ping') res.setHeader('Api-Version', '1.41').end();
    else handler(req, res);
  });
  if (upgrade !== undefined) server.on('upgrade', upgrade);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const client = openClient(openTransport(parseEndpoint(`unix://${path}`)));
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true });
    },
  };
}

test('speaks the older of both versions and encodes queries', async () => {
  const seen: string[] = [];
  await using it = await engine((req, res) => {
    seen.push(`${req.method} ${req.url}`);
    res.end('[]');
  });
  await it.client.containers.list({ all: true, filters: { name: ['a b'] } });
  await it.client.images.list({});
  assert.deepEqual(seen, [
    'GET /v1.41/containers/json?all=1&filters=%7B%22name%22%3A%5B%22a%20b%22%5D%7D',
    'GET /v1.41/images/json',
  ]);
});

test('errors carry the status, the words of the engine and the kind', async () => {
  await using it = await engine((_req, res) => {
    res.statusCode = 404;
    res.end('{"message":"No such container: x"}');
  });
  await assert.rejects(it.client.containers.start('x'), {
    name: 'DaemonError',
    kind: 'not-found',
    status: 404,
    message: 'Error response from daemon: No such container: x',
  });
});

test('nobody listening is told as docker does', async () => {
  using client = openClient(openTransport(parseEndpoint('unix:///nonexistent/s.sock')));
  await assert.rejects(client.info(), {
    kind: 'unavailable',
    message: 'Cannot connect to the Docker daemon at unix:///nonexistent/s.sock. Is the docker daemon running?',
  });
});

test('attach gives a raw stream whose input can end before its output', async () => {
  await using it = await engine(
    (_req, res) => res.end(),
    (req, socket) => {
      assert.equal(req.url, '/v1.41/containers/x/attach?stream=1&stdin=1&stdout=1');
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ');
      let input = '';
      socket.on('data', (chunk: Buffer) => {
        input += chunk.toString();
      });
      socket.on('end', () => socket.end(`got ${input}`));
    },
  );
  const { socket } = await it.client.containers.attach('x', { stdin: true, stdout: true, stderr: false });
  socket.end('abc');
  let output = '';
  for await (const chunk of socket) output += String(chunk);
  assert.equal(output, 'hello got abc');
});

test('frames are put together however they are cut', () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const all = Buffer.concat([frame(1, 'out'), frame(2, 'error'), frame(1, ''), frame(1, '!')]);
  for (let size = 1; size <= all.length; size++) {
    const got = { stdin: '', stdout: '', stderr: '', systemerr: '' };
    const feed = frameReader((stream, data) => {
      got[stream] += data.toString();
    });
    for (let at = 0; at < all.length; at += size) feed(all.subarray(at, at + size));
    assert.deepEqual(got, { stdin: '', stdout: 'out!', stderr: 'error', systemerr: '' });
  }
  assert.throws(() => frameReader(() => {})(Buffer.from([9, 0, 0, 0, 0, 0, 0, 1])), {
    message: 'Unrecognized input header: 9',
  });
});

test('JSON lines, numbers beyond 2^53 stay exact', async () => {
  const { Readable } = await import('node:stream');
  const lines: string[] = [];
  for await (const line of jsonLines(Readable.from([Buffer.from('{"a":'), Buffer.from('1}\r\n{"b":2}\n{"c":3}')])))
    lines.push(line);
  assert.deepEqual(lines, ['{"a":1}', '{"b":2}', '{"c":3}']);
  assert.deepEqual(parseExact('{"n":1795467997479037519,"m":1.5}'), { n: 1795467997479037519n, m: 1.5 });
});

test('endpoints and queries', () => {
  assert.deepEqual(parseEndpoint('tcp://[::1]:99'), { kind: 'tcp', label: 'tcp://[::1]:99', host: '::1', port: 99 });
  assert.deepEqual(parseEndpoint('tcp://h'), { kind: 'tcp', label: 'tcp://h', host: 'h', port: 2375 });
  assert.throws(() => parseEndpoint('ssh://h'), { kind: 'unsupported' });
  assert.throws(() => parseEndpoint('foo://x'), /invalid bind address format: foo:\/\/x/);
  assert.equal(encodeQuery({ names: ['a', 'b'], x: undefined, y: '' }), '?names=a&names=b');
});
