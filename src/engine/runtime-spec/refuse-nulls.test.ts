import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseNulls } from './refuse-nulls.ts';
import { testContainer, testHostConfig } from './test-container.ts';

const { config } = testContainer();
const plain = testHostConfig({});

test('a null character is refused wherever the kernel would see it', () => {
  for (const over of [{ Env: ['A=\0'] }, { Cmd: ['a', 'b\0'] }, { WorkingDir: '/a\0b' }, { Volumes: { '/a\0': {} } }]) {
    const [field] = Object.keys(over);
    assert.throws(() => refuseNulls({ ...config, ...over }, plain), {
      kind: 'invalid',
      message: `invalid ${field}: it contains a null character`,
    });
  }
  assert.throws(() => refuseNulls(config, testHostConfig({ Binds: ['/a\0:/b'] })), /invalid Binds/);
  assert.throws(() => refuseNulls(config, testHostConfig({ Sysctls: { 'net.\0': '1' } })), /invalid Sysctls/);
});

test('labels are free text, and newlines are allowed', () => {
  refuseNulls({ ...config, Labels: { a: '\0' }, WorkingDir: '/a\nb' }, testHostConfig({ Annotations: { a: '\0' } }));
});
