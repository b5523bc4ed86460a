import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryOfAddress } from './login.ts';

test('the registry that an address means', () => {
  for (const [address, registry] of [
    ['', 'docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['http://localhost:5000/v2/', 'localhost:5000'],
    ['my_registry.test', 'my_registry.test'],
    ['[::1]:5000', '[::1]:5000'],
  ] as const)
    assert.equal(registryOfAddress(address), registry, address);
  for (const address of ['..', '.', 'a b', 'user@host', 'host:port', 'host:99999', '\0', 'host?x', ':5000'])
    assert.throws(() => registryOfAddress(address), { kind: 'invalid' }, address);
});
