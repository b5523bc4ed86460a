import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { ContainerConfigSchema } from '../spec/container.ts';
import { type ApiFixture, openFixture } from './api-fixture.ts';
import { fakeContainer } from './fake-engine.ts';

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const ALL = 'stream=1&stdin=1&stdout=1&stderr=1';

async function fixture(tty = false): Promise<ApiFixture> {
  const api = await openFixture();
  const config = v.parse(ContainerConfigSchema, { Image: 'busybox', Tty: tty, OpenStdin: true });
  api.engine.all.push(fakeContainer({ name: 'web', config }));
  return api;
}

const post = (url: string, headers = '', body = '') => `POST ${url} HTTP/1.1\r\nHost: d\r\n${headers}\r\n${body}`;

const frame = (type: number, text: string) => `${String.fromCharCode(type, 0, 0, 0, 0, 0, 0, text.length)}${text}`;
const SPOKEN = frame(1, 'hi\n') + frame(2, 'ABC') + frame(2, 'DEF') + frame(1, 'bye\n');

test('attach with an upgrade: the head is Docker’s, the end of input leaves the output alone', async () => {
  await using api = await fixture();
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`, UPGRADE), 'abc', 'def');
  assert.equal(
    reply,
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${SPOKEN}`,
  );
});

test('an upgrade may be asked for without a Connection header', async () => {
  await using api = await fixture();
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`, 'Upgrade: tcp\r\n'), 'abc', 'def');
  assert.equal(reply.slice(0, reply.indexOf('\r\n')), 'HTTP/1.1 101 UPGRADED');
  assert.ok(reply.endsWith(SPOKEN));
});

test('attach without an upgrade', async () => {
  await using api = await fixture();
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`), 'abc', 'def');
  assert.equal(reply, `HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n${SPOKEN}`);
});

test('clients older than 1.42 are told the old type', async () => {
  await using api = await fixture();
  const reply = await api.raw(post(`/v1.41/containers/web/attach?${ALL}`, UPGRADE), 'abc', 'def');
  assert.match(reply, /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/);
  assert.ok(reply.endsWith(SPOKEN));
});

test('a terminal’s output is not framed', async () => {
  await using api = await fixture(true);
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`, UPGRADE), 'abc');
  assert.match(reply, /Content-Type: application\/vnd\.docker\.raw-stream\r\n/);
  assert.ok(reply.endsWith('\r\n\r\nhi\nABCbye\n'));
});

test('input sent in one piece with the request is not lost', async () => {
  await using api = await fixture(true);
  const reply = await api.raw(`${post(`/containers/web/attach?${ALL}`, UPGRADE)}early`);
  assert.ok(reply.endsWith('\r\n\r\nhi\nEARLYbye\n'));
});

test('an error before the takeover is an ordinary answer', async () => {
  await using api = await fixture();
  for (const headers of ['', UPGRADE]) {
    const reply = await api.raw(post('/containers/none/attach', headers));
    assert.match(reply, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.ok(reply.endsWith('{"message":"No such container: none"}\n'));
    assert.match(reply, /Api-Version: 1\.51/);
  }
});

test('many attaches that are refused on one connection leave nothing on it', async (t) => {
  await using api = await fixture();
  const warnings: Error[] = [];
  const heard = (warning: Error) => warnings.push(warning);
  process.on('warning', heard);
  t.after(() => process.off('warning', heard));
  const replies = await api.raw(...Array.from({ length: 15 }, () => post('/containers/none/attach')));
  assert.equal(replies.match(/^HTTP\/1\.1 404 /gm)?.length, 15);
  assert.deepEqual(warnings, []);
});

test('what is asked for reaches the engine', async () => {
  await using api = await fixture();
  await api.raw(post('/containers/web/attach?logs=1&stream=1&stderr=1&detachKeys=ctrl-a', UPGRADE));
  const options = { logs: true, stream: true, stdin: false, stdout: false, stderr: true, detachKeys: 'ctrl-a' };
  assert.deepEqual(api.engine.calls, [['attach', 'web', options]]);
});

async function exec(api: ApiFixture, body: object): Promise<string> {
  const { status, json } = await api.call('POST', '/containers/web/exec', { Cmd: ['x'], ...body });
  assert.equal(status, 201);
  return (json as { Id: string }).Id;
}

const jsonBody = (text: string) =>
  [`Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`, text] as const;

test('exec: the body may come with the head, after it, or in chunks', async () => {
  await using api = await fixture();
  const id = await exec(api, { AttachStdin: true, AttachStdout: true });
  const [headers, body] = jsonBody('{"Detach":false}');
  const spoken = frame(1, 'hi\n') + frame(2, 'IN') + frame(1, 'bye\n');
  const url = `/exec/${id}/start`;
  const chunked = `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n`;
  const replies = [
    await api.raw(post(url, headers + UPGRADE, body), 'in'),
    await api.raw(post(url, headers + UPGRADE), `${body}in`),
    await api.raw(post(url, headers), body, 'in'),
    await api.raw(post(url, chunked + UPGRADE), '2\r\n{}\r\n0\r\n\r\n', 'in'),
  ];
  for (const reply of replies) assert.ok(reply.endsWith(`\r\n\r\n${spoken}`), JSON.stringify(reply));
  assert.equal(
    replies[0]?.split('\r\n\r\n')[0],
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' +
      'Api-Version: 1.51\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/1.2.3 (linux)',
  );
});

test('exec: the terminal is that of the start', async () => {
  await using api = await fixture();
  const id = await exec(api, { AttachStdout: true });
  const reply = await api.raw(post(`/exec/${id}/start`, ...jsonBody('{"Tty":true,"ConsoleSize":[24,80]}')));
  assert.ok(reply.endsWith('\r\n\r\nhi\nbye\n'));
  assert.deepEqual(api.engine.calls, [['startAttached', id, { tty: true, consoleSize: [24, 80] }]]);
});

test('exec: detached, unknown, and without a body', async () => {
  await using api = await fixture();
  const id = await exec(api, {});
  const start = (ref: string, body?: object) => api.call('POST', `/exec/${ref}/start`, body);
  const detached = await start(id, { Detach: true });
  assert.deepEqual([detached.status, detached.body], [200, '']);
  assert.deepEqual(api.engine.calls, [['startDetached', id]]);
  const unknown = await start('none', {});
  assert.deepEqual([unknown.status, unknown.json], [404, { message: 'No such exec instance: none' }]);
  assert.equal((await start(id)).status, 400);
  const [headers, body] = jsonBody('{"Tty":1}');
  assert.match(await api.raw(post(`/exec/${id}/start`, headers + UPGRADE, body)), /^HTTP\/1\.1 400 Bad Request/);
});

test('a reader that lags is waited for, and nothing is lost', async () => {
  await using api = await fixture(true);
  const total = 8 << 20;
  let waits = 0;
  api.engine.process = async ({ sink }) => {
    for (let sent = 0; sent < total; sent += 65536) {
      if (sink?.write('stdout', Buffer.alloc(65536, 'x')) !== false) continue;
      waits++;
      await sink.drained();
    }
  };
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`, UPGRADE), '', '');
  assert.equal(reply.length - (reply.indexOf('\r\n\r\n') + 4), total);
  assert.ok(waits > 0);
});

test('the engine is told when the client breaks off', async () => {
  await using api = await fixture();
  const gone = Promise.withResolvers<void>();
  api.engine.process = async ({ sink, signal }) => {
    signal.addEventListener('abort', () => gone.resolve());
    while (!signal.aborted) {
      sink?.write('stdout', Buffer.from('x'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await sink?.drained();
    }
  };
  const socket = connect(api.path);
  socket.write(post(`/containers/web/attach?${ALL}`, UPGRADE));
  socket.once('data', () => socket.destroy());
  await gone.promise;
});

test('a failure after the head closes the connection without another head', async () => {
  await using api = await fixture();
  api.engine.process = async () => {
    throw new Error('lost it');
  };
  const reply = await api.raw(post(`/containers/web/attach?${ALL}`, UPGRADE));
  assert.equal(reply.match(/HTTP\/1\.1/g)?.length, 1);
});

test('a websocket carries both directions in binary, unframed', async () => {
  await using api = await fixture();
  const socket = new WebSocket(`ws+unix://${api.path}:/containers/web/attach/ws?${ALL}`);
  const got: Buffer[] = [];
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('message', (data: Buffer, binary) => {
    assert.equal(binary, true);
    got.push(data);
    if (got.length === 1) socket.send('abc');
    if (String(data) === 'ABC') socket.close();
  });
  await closed;
  assert.match(Buffer.concat(got).toString(), /^hi\nABC/);
});

test('the websocket’s address without a websocket', async () => {
  await using api = await fixture();
  assert.equal((await api.call('GET', '/containers/web/attach/ws')).status, 400);
  assert.equal((await api.call('GET', '/containers/none/attach/ws')).status, 404);
});
