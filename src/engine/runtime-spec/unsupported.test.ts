import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testHostConfig } from './test-container.ts';
import { refuseUnsupportedHostConfig } from './unsupported.ts';

test('a plain container is supported', () => {
  for (const fine of [{}, { RestartPolicy: { Name: 'always' } }, { Binds: ['/a:/b'] }, { IpcMode: 'host' }]) {
    assert.doesNotThrow(() => refuseUnsupportedHostConfig(testHostConfig(fine)), JSON.stringify(fine));
  }
});

const CASES: readonly (readonly [field: string, hostConfig: object])[] = [['Links', { Links: ['x'] }]];

for (const [field, hostConfig] of CASES) {
  test(`refused by name: ${field}`, () => {
    assert.throws(() => refuseUnsupportedHostConfig(testHostConfig(hostConfig)), {
      kind: 'unsupported',
      message: `HostConfig.${field} is not supported yet by this engine`,
    });
  });
}
