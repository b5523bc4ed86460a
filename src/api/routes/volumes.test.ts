import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ApiFixture, openFixture } from '../api-fixture.ts';

let api: ApiFixture;
before(async () => {
  api = await openFixture();
});
after(() => api.close());

test('the archive of a volume, and one for it', async () => {
  const { status, headers, body } = await api.call('GET', '/volumes/data/archive');
  assert.deepEqual([status, headers['content-type'], body], [200, 'application/x-tar', 'data']);
  assert.equal((await api.call('PUT', '/volumes/data/archive', 'bytes')).status, 200);
  for (const method of ['GET', 'PUT']) {
    const missing = await api.call(method, '/volumes/none/archive');
    assert.deepEqual([missing.status, missing.json], [404, { message: 'get none: no such volume' }]);
  }
});

test('a volume is made, told and removed', async () => {
  const made = await api.call('POST', '/volumes/create', { Name: 'data' });
  assert.equal(made.status, 201);
  const shown = await api.call('GET', '/volumes/data');
  assert.deepEqual(shown.json, made.json);
  const list = await api.call('GET', '/volumes');
  assert.deepEqual(list.json, { Volumes: [made.json], Warnings: null });
  assert.equal((await api.call('GET', '/volumes/none')).status, 404);
  assert.equal((await api.call('DELETE', '/volumes/data')).status, 409);
  assert.equal((await api.call('DELETE', '/volumes/data?force=1')).status, 204);
  const cluster = await api.call('POST', '/volumes/create', { ClusterVolumeSpec: {} });
  assert.deepEqual([cluster.status, cluster.json], [501, { message: 'cluster volumes need a swarm' }]);
});
