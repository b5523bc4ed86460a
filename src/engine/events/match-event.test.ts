import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '../engine.ts';
import { matchEvent } from './match-event.ts';

const start: EngineEvent = {
  type: 'container',
  action: 'start',
  actor: { id: 'abc123', attributes: { name: 'web', image: 'library/nginx:1.25', tier: 'front', empty: '' } },
  timeNano: 1n,
};
const exec: EngineEvent = { ...start, action: 'exec_start: ls -l' };
const tag: EngineEvent = {
  type: 'image',
  action: 'tag',
  actor: { id: 'sha256:feed', attributes: { name: 'reg:5000/app:v1' } },
  timeNano: 1n,
};

const matches = (event: EngineEvent, filters: Record<string, string[]>) =>
  matchEvent(new Map(Object.entries(filters)), event);

test('type, event and scope', () => {
  assert.equal(matches(start, {}), true);
  assert.equal(matches(start, { type: ['image', 'container'], event: ['start'] }), true);
  assert.equal(matches(start, { type: ['image'] }), false);
  assert.equal(matches(start, { event: ['star'] }), false);
  assert.equal(matches(start, { scope: ['local'] }), true);
  assert.equal(matches(start, { scope: ['swarm'] }), false);
});

test('actions with a tail match by their names', () => {
  assert.equal(matches(exec, { event: ['exec_start'] }), true);
  assert.equal(matches(exec, { event: ['exec_start: ls -l'] }), true);
  assert.equal(matches(exec, { event: ['exec_start: ls'] }), false);
  assert.equal(matches(exec, { event: ['exec_create'] }), false);
});

test('objects by the beginning of id or name', () => {
  assert.equal(matches(start, { container: ['abc'] }), true);
  assert.equal(matches(start, { container: ['we'] }), true);
  assert.equal(matches(start, { container: ['bc', 'eb'] }), false);
  assert.equal(matches(start, { network: ['net'] }), false);
});

test('images by id or name, with or without tag, and through their containers', () => {
  assert.equal(matches(start, { image: ['library/nginx:1.25'] }), true);
  assert.equal(matches(start, { image: ['library/nginx'] }), true);
  assert.equal(matches(start, { image: ['nginx'] }), false);
  assert.equal(matches(tag, { image: ['reg:5000/app'] }), true);
  assert.equal(matches(tag, { image: ['reg:5000/app:v1'] }), true);
  assert.equal(matches(tag, { image: ['sha256:feed'] }), true);
  assert.equal(matches(tag, { image: ['reg'] }), false);
});

test('labels are among the attributes, and unknown keys are ignored', () => {
  assert.equal(matches(start, { label: ['tier'] }), true);
  assert.equal(matches(start, { label: ['tier=front', 'empty='] }), true);
  assert.equal(matches(start, { label: ['tier=back'] }), false);
  assert.equal(matches(start, { bogus: ['x'] }), true);
});
