import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../util/log.ts';
import { openFixture } from './api-fixture.ts';
import { fakeContainer, fakeEngine } from './fake-engine.ts';
import { createApi } from './server.ts';

const open = () => createApi({ engine: fakeEngine(), log: silentLog(), version: { version: '1.2.3' } });

test('every answer of an endpoint says who answers', async () => {
  await using api = await openFixture();
  for (const url of ['/_ping', '/v1.41/containers/json', '/containers/none/json', '/v1.99/info', '/swarm']) {
    const { headers } = await api.call('GET', url);
    assert.equal(headers['api-version'], '1.51', url);
    assert.equal(headers['ostype'], 'linux');
    assert.equal(headers['server'], 'Docker/1.2.3 (linux)');
    assert.equal(headers['docker-experimental'], 'false');
  }
});

test('what does not exist', async () => {
  await using api = await openFixture();
  for (const [method, url] of [
    ['GET', '/nope'],
    ['POST', '/version'],
    ['HEAD', '/containers/json'],
    ['GET', '/v1.41'],
  ] as const) {
    const { status, json } = await api.call(method, url);
    assert.equal(status, 404);
    if (method !== 'HEAD') assert.deepEqual(json, { message: 'page not found' });
  }
  const { status, json } = await api.call('GET', '/containers/%zz/json');
  assert.equal(status, 400);
  assert.match(JSON.stringify(json), /invalid URL escape/);
});

test('kinds of errors become statuses', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  const missing = await api.call('GET', '/containers/none/json');
  assert.deepEqual([missing.status, missing.json], [404, { message: 'No such container: none' }]);
  assert.equal((await api.call('POST', '/containers/web/pause')).status, 409);
  const same = await api.call('POST', '/containers/web/start');
  assert.deepEqual([same.status, same.body], [304, '']);
  const unbuilt = await api.call('POST', '/session');
  assert.deepEqual(
    [unbuilt.status, unbuilt.json],
    [501, { message: 'a BuildKit session is not supported by this version of Gantry' }],
  );
  const swarm = await api.call('GET', '/services');
  assert.equal(swarm.status, 503);
  assert.match(swarm.body, /^{"message":"This node is not a swarm manager\. Use \\"docker swarm init\\"/);
});

test('a bug in the engine is a 500 and leaves the server alive', async () => {
  await using api = await openFixture();
  Object.assign(api.engine.containers, {
    list: () => {
      throw new TypeError('oops');
    },
  });
  const { status, json } = await api.call('GET', '/containers/json');
  assert.deepEqual([status, json], [500, { message: 'oops' }]);
  assert.equal((await api.call('GET', '/_ping')).body, 'OK');
});

test('a body has to be JSON, whole, and not too large', async () => {
  await using api = await openFixture();
  const post = (body: string, type = 'application/json') =>
    api.call('POST', '/containers/create', body, { 'Content-Type': type });
  const message = async (body: string, type?: string) => {
    const { status, json } = await post(body, type);
    assert.equal(status, 400);
    return (json as { message: string }).message;
  };
  assert.equal(await message('{}', 'text/plain'), "Content-Type specified (text/plain) must be 'application/json'");
  assert.equal(await message(''), 'invalid JSON: got EOF while reading request body');
  assert.equal(await message('{"a":'), 'invalid JSON: unexpected EOF');
  assert.equal(await message('{} {}'), 'unexpected content after JSON');
  assert.match(await message('{a}'), /^invalid JSON: /);
  assert.equal(await message(`{"Image":"${'x'.repeat(33 << 20)}"}`), 'http: request body too large');
  assert.equal((await post('{"Image":"a"}\n', 'application/json; charset=utf-8')).status, 201);
});

test('one connection serves many requests', async () => {
  await using api = await openFixture();
  const reply = await api.raw('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n', 'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
  assert.equal(reply.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
});

test('offers to upgrade elsewhere are ignored', async () => {
  await using api = await openFixture();
  const { status, body } = await api.call('GET', '/_ping', undefined, { Connection: 'Upgrade', Upgrade: 'h2c' });
  assert.deepEqual([status, body], [200, 'OK']);
});

test('several addresses at once; only the group may use the socket', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-listen-'));
  const path = join(dir, 's');
  const api = open();
  await api.listen({ path, gid: process.getgid?.() ?? 0 });
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  const reply = await fetch(`http://127.0.0.1:${port}/_ping`);
  assert.equal(await reply.text(), 'OK');
  await api.close();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/_ping`));
  await rm(dir, { recursive: true });
});

test('a socket left by a dead daemon is replaced, that of a living one is not', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-listen-'));
  const path = join(dir, 's');
  const living = createServer().listen(path);
  await new Promise((resolve) => living.once('listening', resolve));
  await using api = open();
  await assert.rejects(api.listen({ path }), { kind: 'conflict' });
  await new Promise((resolve) => living.close(resolve));
  await writeFile(path, '');
  await assert.doesNotReject(api.listen({ path }));
  await rm(dir, { recursive: true });
});

test('a directory in the place of a socket is told, and left alone', async () => {
  const path = await mkdtemp(join(tmpdir(), 'gantry-listen-'));
  await using api = open();
  await assert.rejects(api.listen({ path }), {
    kind: 'unavailable',
    message: `can't create unix socket ${path}: is a directory`,
  });
  await rm(path, { recursive: true });
});

test('closing ends idle connections, streams and taken-over ones', async () => {
  const api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  const ended = Promise.all(
    ['GET /events', 'GET /_ping', 'POST /containers/web/attach?stream=1&stdin=1', 'POST /containers/web/wait'].map(
      (line) =>
        new Promise<void>((resolve, reject) => {
          const [method = '', path = ''] = line.split(' ');
          const req = request({ socketPath: api.path, method, path });
          req.on('error', () => resolve());
          req.on('response', (res) => res.resume().on('close', resolve).on('error', reject));
          req.on('close', resolve).end();
        }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  await api.close();
  await ended;
  assert.ok(performance.now() - start < 2000);
});
