import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import * as v from 'valibot';
import { ContainerConfigSchema } from '../../spec/container.ts';
import { openFixture } from '../api-fixture.ts';
import { fakeContainer, IMAGE_ID } from '../fake-engine.ts';

type Item = Record<string, unknown>;

test('create: the fields reach the engine with their zero values', async () => {
  await using api = await openFixture();
  const body = {
    Image: 'busybox',
    Cmd: 'ls',
    HostConfig: { Memory: 5 },
    NetworkingConfig: { EndpointsConfig: { n: {} } },
  };
  const { status, json } = await api.call('POST', '/containers/create?name=web&platform=linux/amd64', body);
  assert.equal(status, 201);
  assert.deepEqual((json as Item)['Warnings'], ['careful']);
  const [created] = api.engine.created;
  assert.equal(created?.name, 'web');
  assert.deepEqual(created?.config.Cmd, ['ls']);
  assert.equal('HostConfig' in (created?.config ?? {}), false);
  assert.equal(created?.hostConfig.Memory, 5);
  assert.deepEqual(created?.hostConfig.PortBindings, {});
  assert.deepEqual(created?.platform, { os: 'linux', architecture: 'amd64' });
  assert.equal(created?.endpoints['n']?.MacAddress, '');
});

test('create: a network needs settings', async () => {
  await using api = await openFixture();
  const body = { Image: 'a', NetworkingConfig: { EndpointsConfig: { n: null } } };
  const refused = await api.call('POST', '/containers/create', body);
  assert.deepEqual([refused.status, refused.json], [400, { message: 'no EndpointSettings for n' }]);
});

test('start: there is no checkpoint to start from', async () => {
  await using api = await openFixture();
  assert.equal((await api.call('POST', '/containers/x/start?checkpoint=c')).status, 400);
  assert.equal((await api.call('POST', '/containers/x/start?checkpoint-dir=/d')).status, 403);
});

test('create: a platform has a form', async () => {
  await using api = await openFixture();
  assert.equal((await api.call('POST', '/containers/create?platform=linux/', { Image: 'a' })).status, 400);
});

test('list: all, limit, size, and filters that are known', async () => {
  await using api = await openFixture();
  const running = fakeContainer();
  api.engine.all.push(running, fakeContainer({ state: { ...running.state, status: 'exited' } }));
  const list = async (query: string) => (await api.call('GET', `/containers/json?${query}`)).json as Item[];
  assert.equal((await list('')).length, 1);
  assert.equal((await list('all=1')).length, 2);
  assert.equal((await list('limit=1')).length, 1);
  assert.equal('SizeRw' in ((await list(''))[0] ?? {}), false);
  assert.deepEqual([(await list('size=1'))[0]?.['SizeRw'], (await list('size=1'))[0]?.['SizeRootFs']], [10, 20]);
  const bad = await api.call('GET', `/containers/json?filters=${encodeURIComponent('{"nope":["x"]}')}`);
  assert.deepEqual([bad.status, bad.json], [400, { message: "invalid filter 'nope'" }]);
  assert.equal((await api.call('GET', '/containers/json?limit=x')).status, 400);
});

test('list: the image is shown by its id once its name means another', async () => {
  await using api = await openFixture();
  const other = `sha256:${'0'.repeat(64)}`;
  const gone = v.parse(ContainerConfigSchema, { Image: 'gone:1' });
  api.engine.all.push(fakeContainer(), fakeContainer({ imageId: other }), fakeContainer({ config: gone }));
  const images = ((await api.call('GET', '/containers/json')).json as Item[]).map((item) => item['Image']);
  assert.deepEqual(images, ['busybox', other, IMAGE_ID]);
});

test('calls that change a container', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  const statuses = [];
  for (const [method, url] of [
    ['POST', 'web/stop?t=5&signal=INT'],
    ['POST', 'web/restart'],
    ['POST', 'web/kill?signal=HUP'],
    ['POST', 'web/unpause'],
    ['POST', 'web/rename?name=x'],
    ['POST', 'web/resize?h=24&w=80'],
    ['DELETE', 'web?force=1&v=0'],
  ] as const) {
    const { status, body } = await api.call(method, `/containers/${url}`);
    assert.equal(body, '');
    statuses.push(status);
  }
  assert.deepEqual(statuses, [204, 204, 204, 204, 204, 200, 204]);
  assert.deepEqual(api.engine.calls, [
    ['stop', 'web', { seconds: 5, signal: 'INT' }],
    ['restart', 'web', {}],
    ['kill', 'web', 'HUP'],
    ['unpause', 'web'],
    ['rename', 'web', 'x'],
    ['resize', 'web', { height: 24, width: 80 }],
    ['remove', 'web', { force: true, volumes: false, link: false }],
  ]);
});

test('top, inspect with sizes, prune', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  const top = await api.call('GET', '/containers/web/top');
  assert.deepEqual(top.json, { Titles: ['PID', '-ef'], Processes: [['1', 'sh']] });
  assert.equal(((await api.call('GET', '/containers/web/json?size=1')).json as Item)['SizeRw'], 10);
  const filters = encodeURIComponent('{"label!":{"keep":true}}');
  const pruned = await api.call('POST', `/containers/prune?filters=${filters}`);
  assert.deepEqual(pruned.json, { ContainersDeleted: ['x'], SpaceReclaimed: 5 });
  assert.deepEqual(api.engine.calls, [['prune', [['label!', ['keep']]]]]);
});

test('wait: the head comes at once, the body at the end', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  const body = await new Promise((resolve, reject) => {
    const req = request({ socketPath: api.path, method: 'POST', path: '/containers/web/wait?condition=next-exit' });
    req.on('error', reject).on('response', (res) => {
      assert.equal(res.statusCode, 200);
      api.engine.exit.resolve({ statusCode: 7 });
      res.on('data', (chunk) => resolve(String(chunk)));
    });
    req.end();
  });
  assert.equal(body, '{"StatusCode":7}\n');
  assert.deepEqual(api.engine.calls, [['wait', 'web', 'next-exit']]);
});

test('wait: conditions are checked, and an error comes in the body', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  assert.equal((await api.call('POST', '/containers/web/wait?condition=x')).status, 400);
  assert.equal((await api.call('POST', '/containers/none/wait')).status, 404);
  api.engine.exit.resolve({ statusCode: 125, error: 'bad' });
  const { json } = await api.call('POST', '/containers/web/wait');
  assert.deepEqual(json, { StatusCode: 125, Error: { Message: 'bad' } });
});

const entry = (stream: 'stdout' | 'stderr', text: string) => ({
  stream,
  time: '2026-01-01T00:00:00Z',
  data: Buffer.from(text),
  attrs: {},
});

test('logs: framed, with times', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  api.engine.logEntries = [entry('stdout', 'a\n'), entry('stderr', 'b\n')];
  const { body, headers } = await api.call(
    'GET',
    '/containers/web/logs?stdout=1&stderr=1&tail=5&since=3.5&timestamps=1',
  );
  assert.equal(headers['content-type'], 'application/vnd.docker.multiplexed-stream');
  const line = (n: number, text: string) =>
    `${String.fromCharCode(n, 0, 0, 0, 0, 0, 0, 23)}2026-01-01T00:00:00Z ${text}\n`;
  assert.equal(body, line(1, 'a') + line(2, 'b'));
  const query = { stdout: true, stderr: true, follow: false, since: 3_500_000_000n, tail: 5, signal: undefined };
  assert.deepEqual(api.engine.calls, [['logs', query]]);
});

test('logs: emptied', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  assert.equal((await api.call('DELETE', '/containers/web/logs')).status, 204);
  assert.deepEqual(api.engine.calls, [['clearLogs', 'web']]);
  assert.equal((await api.call('DELETE', '/containers/none/logs')).status, 404);
});

test('logs: bare with a terminal; a stream has to be chosen; unknown containers', async () => {
  await using api = await openFixture();
  const config = v.parse(ContainerConfigSchema, { Image: 'busybox', Tty: true });
  api.engine.all.push(fakeContainer({ name: 'tty', config }));
  api.engine.logEntries = [entry('stdout', 'a\r\n')];
  const { body, headers } = await api.call('GET', '/containers/tty/logs?stdout=1&tail=all');
  assert.deepEqual([body, headers['content-type']], ['a\r\n', 'application/vnd.docker.raw-stream']);
  const none = await api.call('GET', '/containers/tty/logs');
  assert.deepEqual([none.status, none.json], [400, { message: 'Bad parameters: you must choose at least one stream' }]);
  assert.equal((await api.call('GET', '/containers/none/logs?stdout=1')).status, 404);
});

test('logs: a follower with nothing to read gets its head soon', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ name: 'web' }));
  Object.assign(api.engine.containers, {
    async *logs(_: string, { signal }: { signal: AbortSignal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield [];
    },
  });
  const status = await new Promise((resolve, reject) => {
    const req = request({ socketPath: api.path, path: '/containers/web/logs?stdout=1&follow=1' });
    req.on('response', (res) => {
      resolve(res.statusCode);
      req.destroy();
    });
    req.on('error', reject).end();
  });
  assert.equal(status, 200);
});
