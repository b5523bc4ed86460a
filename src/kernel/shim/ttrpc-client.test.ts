import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kindOf } from '../../util/errors.ts';
import { type Decoded, decode, encode } from './messages.ts';
import { connectTtrpc } from './ttrpc-client.ts';
import { encodeFrame, FrameReader, REQUEST, RESPONSE } from './ttrpc-frames.ts';
import { serveTtrpc } from './ttrpc-server.ts';

interface Call {
  stream: number;
  request: Decoded<'TtrpcRequest'>;
  socket: Socket;
}

/** A server that hands every request to the test. */
async function listen(onCall: (call: Call) => void) {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-ttrpc-'));
  const path = join(dir, 's');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const frames = new FrameReader();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const { stream, type, payload } of frames.push(chunk)) {
        assert.equal(type, REQUEST);
        onCall({ stream, request: decode('TtrpcRequest', payload), socket });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true });
    },
  };
}

const respond = (stream: number, response: Parameters<typeof encode<'TtrpcResponse'>>[1]) =>
  encodeFrame({ stream, type: RESPONSE, payload: encode('TtrpcResponse', response) });

test('calls share a connection and are answered in any order, on odd streams', async () => {
  const calls: Call[] = [];
  await using server = await listen((call) => {
    calls.push(call);
    if (calls.length < 3) return;
    for (const { stream, request, socket } of calls.toReversed()) {
      socket.write(respond(stream, { payload: Buffer.from(`re ${request.method}`) }));
    }
  });
  using client = await connectTtrpc(server.path);
  const answers = await Promise.all(['A', 'B', 'C'].map((method) => client.call('S', method, Buffer.from('p'))));
  assert.deepEqual(
    answers.map((answer) => Buffer.from(answer).toString()),
    ['re A', 're B', 're C'],
  );
  assert.deepEqual(
    calls.map(({ stream }) => stream),
    [1, 3, 5],
  );
  assert.equal(calls[0]?.request.service, 'S');
});

test('an answer in many pieces is one answer', async () => {
  await using server = await listen(({ stream, socket }) => {
    socket.setNoDelay(true);
    for (const byte of respond(stream, { payload: Buffer.from('whole') })) socket.write(Buffer.of(byte));
  });
  using client = await connectTtrpc(server.path);
  assert.equal(Buffer.from(await client.call('S', 'M', Buffer.alloc(0))).toString(), 'whole');
});

test('a status is an error with its words and the kind it stands for', async () => {
  await using server = await listen(({ stream, request, socket }) => {
    socket.write(respond(stream, { status: { code: Number(request.method), message: `said ${request.method}` } }));
  });
  using client = await connectTtrpc(server.path);
  for (const [code, kind] of [
    ['5', 'not-found'],
    ['12', 'unsupported'],
    ['14', 'unavailable'],
    ['2', 'internal'],
  ]) {
    await assert.rejects(client.call('S', code ?? '', Buffer.alloc(0)), (error) => {
      assert.equal(kindOf(error), kind);
      assert.equal((error as Error).message, `said ${code}`);
      return true;
    });
  }
});

test('a lost connection rejects every pending call and every later one', async () => {
  let seen = 0;
  await using server = await listen(({ socket }) => {
    if (++seen === 2) socket.destroy();
  });
  using client = await connectTtrpc(server.path);
  const both = await Promise.allSettled([
    client.call('S', 'A', Buffer.alloc(0)),
    client.call('S', 'B', Buffer.alloc(0)),
  ]);
  for (const outcome of both) {
    assert.equal(outcome.status, 'rejected');
    assert.equal(kindOf(outcome.reason), 'unavailable');
    assert.match(String(outcome.reason), /lost the connection to /);
  }
  await client.closed;
  await assert.rejects(client.call('S', 'C', Buffer.alloc(0)), /lost the connection/);
});

test('garbage ends the connection with a clear error', async () => {
  await using server = await listen(({ socket }) => socket.write(Buffer.alloc(64, 0xff)));
  using client = await connectTtrpc(server.path);
  await assert.rejects(client.call('S', 'A', Buffer.alloc(0)), /protocol error/);
});

test('an answer that is no message ends the connection, and nobody waits for it for ever', async () => {
  // The first field's length reaches beyond the message.
  const broken = Buffer.from([0x0a, 0x7f]);
  await using server = await listen(({ stream, socket }) =>
    socket.write(encodeFrame({ stream, type: RESPONSE, payload: broken })),
  );
  using client = await connectTtrpc(server.path);
  const calls = [client.call('S', 'A', Buffer.alloc(0)), client.call('S', 'B', Buffer.alloc(0))];
  for (const call of calls) await assert.rejects(call, /protocol error/);
});

test('a call that takes too long is given up, and its late answer ignored', async () => {
  const late: (() => void)[] = [];
  await using server = await listen(({ stream, request, socket }) => {
    const answer = () => socket.write(respond(stream, { payload: Buffer.from(request.method) }));
    if (request.method === 'slow') late.push(answer);
    else answer();
  });
  using client = await connectTtrpc(server.path);
  await assert.rejects(client.call('S', 'slow', Buffer.alloc(0), { timeout: 20 }), (error) => {
    assert.equal(kindOf(error), 'unavailable');
    assert.match(String(error), /no answer to slow within 20 ms/);
    return true;
  });
  for (const answer of late) answer();
  assert.equal(Buffer.from(await client.call('S', 'fast', Buffer.alloc(0))).toString(), 'fast');
});

test('nobody listening is `unavailable`', async () => {
  await assert.rejects(connectTtrpc('/nonexistent/socket'), (error) => kindOf(error) === 'unavailable');
});

test('our server answers, refuses what it does not know, reports what fails, and can be served again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-ttrpc-'));
  const path = join(dir, 's');
  const handlers = new Map([
    ['S/Echo', (payload: Uint8Array) => payload],
    [
      'S/Fail',
      () => {
        throw new Error('cannot');
      },
    ],
  ]);
  for (let round = 0; round < 2; round++) {
    await using _server = await serveTtrpc(path, handlers);
    using client = await connectTtrpc(path);
    assert.equal(Buffer.from(await client.call('S', 'Echo', Buffer.from('x'))).toString(), 'x');
    await assert.rejects(client.call('S', 'Nope', Buffer.alloc(0)), (error) => kindOf(error) === 'unsupported');
    await assert.rejects(client.call('S', 'Fail', Buffer.alloc(0)), /cannot/);
  }
  await rm(dir, { recursive: true });
});
