import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { type ContainerConfig, ContainerConfigSchema } from '../../spec/container.ts';
import { commandLine, mergeConfig } from './merge-config.ts';

const config = (fields: object): ContainerConfig => v.parse(ContainerConfigSchema, fields);
const merged = (user: object, image: object) => mergeConfig(config(user), config(image));
const line = (user: object, image: object) => {
  const { path, args } = commandLine(merged(user, image));
  return [path, ...args].join(' ');
};

test('the command: each way of giving one', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['serve'] };
  assert.equal(line({}, image), '/entry serve');
  assert.equal(line({ Cmd: ['other'] }, image), '/entry other');
  assert.equal(line({ Entrypoint: ['/mine'] }, image), '/mine');
  assert.equal(line({ Entrypoint: ['/mine'], Cmd: ['x'] }, image), '/mine x');
  assert.equal(line({ Entrypoint: [''], Cmd: ['x'] }, image), 'x');
  assert.equal(line({ Entrypoint: [], Cmd: ['x'] }, image), 'x');
  assert.equal(line({ Cmd: 'ls' }, {}), 'ls');
});

test('no command at all is refused', () => {
  assert.throws(() => merged({}, {}), /No command specified/);
  assert.throws(() => merged({ Entrypoint: [''] }, { Entrypoint: ['/entry'] }), /No command specified/);
});

test('the user wins by name in the environment', () => {
  const { Env } = merged({ Env: ['A=mine', 'B'], Cmd: ['x'] }, { Env: ['A=image', 'B=image', 'C=image=2'] });
  assert.deepEqual(Env, ['A=mine', 'B', 'C=image=2']);
});

test('maps are united and single fields inherited', () => {
  const it = merged(
    { Cmd: ['x'], Labels: { a: '1' }, ExposedPorts: { '80/tcp': {} }, User: 'me' },
    { Labels: { a: '0', b: '2' }, ExposedPorts: { '443/tcp': {} }, User: 'root', WorkingDir: '/w', StopSignal: 'INT' },
  );
  assert.deepEqual(it.Labels, { a: '1', b: '2' });
  assert.deepEqual(Object.keys(it.ExposedPorts).sort(), ['443/tcp', '80/tcp']);
  assert.deepEqual([it.User, it.WorkingDir, it.StopSignal], ['me', '/w', 'INT']);
});
