import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture } from '../api-fixture.ts';
import { fakeContainer, IMAGE_ID } from '../fake-engine.ts';

type Item = Record<string, unknown>;
type Usage = Record<'Images' | 'Containers' | 'Volumes' | 'BuildCache', Item[] | null> & Item;

test('what everything takes on disk, with who shares it', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer());
  const usage = (await api.call('GET', '/v1.51/system/df')).json as Usage;
  assert.equal(usage['LayersSize'], 11);
  const [image] = usage.Images ?? [];
  assert.deepEqual([image?.['Id'], image?.['Containers'], image?.['SharedSize']], [IMAGE_ID, 1, 5]);
  assert.equal(typeof usage.Containers?.[0]?.['SizeRootFs'], 'number');
  assert.deepEqual([usage.Volumes?.[0]?.['UsageData'], usage.BuildCache], [{ Size: 5, RefCount: 1 }, []]);
  assert.equal('BuilderSize' in usage, false);
});

test('from 1.42 on a client chooses; before it gets everything', async () => {
  await using api = await openFixture();
  const images = (await api.call('GET', '/v1.42/system/df?type=image')).json as Usage;
  assert.deepEqual([images.Containers, images.Volumes, images.BuildCache], [null, null, null]);
  const rest = (await api.call('GET', '/v1.42/system/df?type=container&type=build-cache')).json as Usage;
  assert.deepEqual([rest.Images, rest.Containers, rest['LayersSize']], [null, [], 0]);
  const old = (await api.call('GET', '/v1.41/system/df?type=nosuch')).json as Usage;
  assert.deepEqual([old.Containers, old['BuilderSize'], old.Images?.[0]?.['Containers']], [[], 0, 0]);
  const refused = await api.call('GET', '/v1.42/system/df?type=nosuch');
  assert.deepEqual([refused.status, refused.json], [400, { message: 'unknown object type: nosuch' }]);
});

test('there is no network and no build cache to prune', async () => {
  await using api = await openFixture();
  assert.deepEqual((await api.call('POST', '/networks/prune')).json, { NetworksDeleted: null });
  assert.deepEqual((await api.call('POST', '/build/prune')).json, { CachesDeleted: null, SpaceReclaimed: 0 });
  assert.equal((await api.call('POST', '/networks/prune?filters={"x":["y"]}')).status, 400);
  assert.equal((await api.call('POST', '/build/prune?filters={"x":["y"]}')).status, 400);
});
