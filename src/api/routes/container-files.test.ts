import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ApiFixture, openFixture } from '../api-fixture.ts';
import { fakeContainer, IMAGE_ID } from '../fake-engine.ts';

let api: ApiFixture;
const container = fakeContainer();
const url = `/containers/${container.id}`;
before(async () => {
  api = await openFixture();
  api.engine.all.push(container);
});
after(() => api.close());

test('a path is told in a header, with and without its archive', async () => {
  for (const method of ['HEAD', 'GET']) {
    const { status, headers, body } = await api.call(method, `${url}/archive?path=/f`);
    assert.equal(status, 200);
    const told = JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString());
    assert.deepEqual(told, { name: 'f', size: 3, mode: 8389101, mtime: '2026-11-23T21:28:00.12Z', linkTarget: '' });
    assert.equal(body, method === 'GET' ? 'tar of /f' : '');
  }
  assert.equal((await api.call('HEAD', `${url}/archive?path=/nope`)).status, 404);
  assert.equal((await api.call('GET', `${url}/archive`)).status, 400);
  assert.equal((await api.call('GET', '/containers/nope/archive?path=/f')).status, 404);
});

test('an archive is compressed for who accepts that', async () => {
  const cases: [accepted: string, compressed: boolean][] = [
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['identity', false],
  ];
  for (const [accepted, compressed] of cases) {
    const { headers } = await api.call('GET', `${url}/archive?path=/f`, undefined, { 'Accept-Encoding': accepted });
    assert.equal(headers['content-encoding'], compressed ? 'gzip' : undefined, accepted);
  }
});

test('an archive is handed on with what is wished', async () => {
  const wishes = 'noOverwriteDirNonDir=true&copyUIDGID=1';
  assert.equal((await api.call('PUT', `${url}/archive?path=/f&${wishes}`, 'bytes')).status, 200);
  assert.deepEqual(api.engine.calls.at(-1), ['write', '/f', 'bytes', true, true]);
});

test('changes are numbers, and null when there are none', async () => {
  assert.equal((await api.call('GET', `${url}/changes`)).json, null);
  api.engine.changes = [
    { path: '/a', kind: 'modified' },
    { path: '/b', kind: 'added' },
    { path: '/c', kind: 'deleted' },
  ];
  assert.deepEqual((await api.call('GET', `${url}/changes`)).json, [
    { Path: '/a', Kind: 0 },
    { Path: '/b', Kind: 1 },
    { Path: '/c', Kind: 2 },
  ]);
});

test('a container is exported', async () => {
  const { status, headers, body } = await api.call('GET', `${url}/export`);
  assert.deepEqual([status, headers['content-type'], body], [200, 'application/octet-stream', 'tar of all']);
});

test('a commit takes its wishes from the query and a config from the body', async () => {
  const query = `container=${container.id}&repo=r&tag=t&comment=c&author=a&pause=0&changes=ENV+A&changes=CMD+b`;
  const { status, json } = await api.call('POST', `/commit?${query}`, { Cmd: ['x'] });
  assert.deepEqual([status, json], [201, { Id: IMAGE_ID }]);
  const [, told] = api.engine.calls.at(-1) as [string, { config: { Cmd: string[] } }];
  assert.deepEqual(
    { ...told, config: told.config.Cmd },
    { repo: 'r', tag: 't', comment: 'c', author: 'a', pause: false, changes: ['ENV A', 'CMD b'], config: ['x'] },
  );
  await api.call('POST', `/commit?container=${container.id}`);
  const [, plain] = api.engine.calls.at(-1) as [string, Record<string, unknown>];
  assert.deepEqual([plain['pause'], plain['config']], [true, undefined]);
  assert.equal((await api.call('POST', '/commit?container=nope')).status, 404);
});
