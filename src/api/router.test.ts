import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouter, route } from './router.ts';

const nothing = () => {};
const find = createRouter([
  route('GET', '/images/json', nothing),
  route('GET', '/images/:name*/json', nothing),
  route('DELETE', '/images/:name*', nothing),
  route('GET', '/containers/:id/attach/ws', nothing),
]);

test('fixed paths win over parameters by their order', () => {
  assert.equal(find('GET', '/images/json')?.route.path, '/images/json');
});

test('names of images may have slashes', () => {
  assert.deepEqual({ ...find('GET', '/images/a/b:c/json')?.params }, { name: 'a/b:c' });
  assert.deepEqual({ ...find('DELETE', '/images/a/b/json')?.params }, { name: 'a/b/json' });
});

test('other parameters are one segment', () => {
  assert.deepEqual({ ...find('GET', '/containers/x/attach/ws')?.params }, { id: 'x' });
  assert.equal(find('GET', '/containers/x/y/attach/ws'), undefined);
});

test('the method and the whole path must fit', () => {
  assert.equal(find('POST', '/images/json'), undefined);
  assert.equal(find('GET', '/images/json/'), undefined);
  assert.equal(find('GET', '/'), undefined);
});
