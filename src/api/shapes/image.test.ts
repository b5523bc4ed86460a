import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeImage, IMAGE_ID } from '../fake-engine.ts';
import { historyItem, imageInspect, imageSummary } from './image.ts';

test('the count of containers and the virtual size depend on the version', () => {
  const old = imageSummary(fakeImage, { containers: 2, api: 43 });
  const now = imageSummary(fakeImage, { containers: 2, api: 51 });
  assert.deepEqual([old.Containers, now.Containers], [-1, 2]);
  assert.deepEqual([old.VirtualSize, now.VirtualSize], [fakeImage.size, undefined]);
  assert.equal(now.Created, Date.parse('2026-11-23T20:54:38Z') / 1000);
  assert.equal(now.Labels, null);
});

test('an image without a name', () => {
  const nameless = { ...fakeImage, repoTags: [] };
  assert.deepEqual(imageSummary(nameless, { containers: 0, api: 51 }).RepoTags, []);
  assert.deepEqual(imageSummary(nameless, { containers: 0, api: 42 }).RepoTags, ['<none>:<none>']);
});

test('inspect', () => {
  const shape = imageInspect(fakeImage, 51);
  assert.equal(shape.Id, IMAGE_ID);
  assert.deepEqual(shape.RootFS.Layers, fakeImage.config.rootfs.diff_ids);
  assert.deepEqual(shape.Config.Cmd, ['sh']);
  assert.equal('Variant' in shape, false);
  assert.equal('VirtualSize' in imageInspect(fakeImage, 43), true);
});

test('history', () => {
  const entry = { id: '<missing>', created: '', createdBy: 'RUN x', tags: ['a:b'], size: 1, comment: '' };
  assert.deepEqual(historyItem(entry), {
    Comment: '',
    Created: 0,
    CreatedBy: 'RUN x',
    Id: '<missing>',
    Size: 1,
    Tags: ['a:b'],
  });
  assert.equal(historyItem({ ...entry, tags: [] }).Tags, null);
});
