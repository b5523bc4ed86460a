import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { openFixture } from '../api-fixture.ts';

type Item = Record<string, unknown>;

test('ping', async () => {
  await using api = await openFixture();
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = await api.call(method, '/_ping');
    assert.equal(status, 200);
    assert.equal(body, method === 'GET' ? 'OK' : '');
    assert.match(String(headers['content-type']), /^text\/plain/);
    assert.deepEqual(
      [headers['cache-control'], headers['pragma'], headers['builder-version'], headers['swarm']],
      ['no-cache, no-store, must-revalidate', 'no-cache', '1', 'inactive'],
    );
  }
});

test('version and info come from the engine’s facts', async () => {
  await using api = await openFixture();
  const version = (await api.call('GET', '/version')).json as Item & { Components: Item[] };
  assert.deepEqual([version['Version'], version['ApiVersion'], version['Arch']], ['1.2.3', '1.51', 'amd64']);
  assert.deepEqual(
    version.Components.map((c) => [c['Name'], c['Version']]),
    [
      ['Engine', '1.2.3'],
      ['containerd', '1.6.20'],
      ['runc', '1.1.5'],
      ['docker-init', '0.19.0'],
    ],
  );
  const info = (await api.call('GET', '/info')).json as Item;
  assert.deepEqual([info['ServerVersion'], info['NCPU'], info['Containers'], info['Images']], ['1.2.3', 2, 0, 1]);
});

test('events: old ones end at `until`', async () => {
  await using api = await openFixture();
  const actor = { id: 'x', attributes: {} };
  api.engine.events.emit({ type: 'container', action: 'start', actor });
  api.engine.events.emit({ type: 'container', action: 'die', actor });
  const { body, headers } = await api.call('GET', '/events?since=1&until=2');
  assert.equal(headers['content-type'], 'application/json');
  const actions = body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).Action);
  assert.deepEqual(actions, ['start', 'die']);
  assert.equal((await api.call('GET', '/events?since=nonsense')).status, 400);
});

test('events: the head comes before the first event, and leaving ends the subscription', async () => {
  await using api = await openFixture();
  await new Promise<void>((resolve, reject) => {
    const req = request({ socketPath: api.path, path: '/events' });
    req.on('error', reject).on('response', () => {
      resolve();
      req.destroy();
    });
    req.end();
  });
  const deadline = Date.now() + 2000;
  while (api.engine.listeners.count > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 10));
  assert.equal(api.engine.listeners.count, 0);
});

test('plugins, networks, and what is not built', async () => {
  await using api = await openFixture();
  assert.deepEqual((await api.call('GET', '/plugins')).json, []);
  const networks = (await api.call('GET', '/networks')).json as Item[];
  assert.deepEqual(
    networks.map((n) => [n['Name'], n['Driver'], n['Containers']]),
    [['bridge', 'bridge', {}]],
  );
  assert.equal((await api.call('GET', '/networks/none')).status, 404);
  for (const [method, url] of [
    ['POST', '/networks/create'],
    ['POST', '/build'],
  ] as const) {
    assert.equal((await api.call(method, url)).status, 501, url);
  }
});
