import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiateVersion, splitVersion } from './api-version.ts';

test('the prefix is optional', () => {
  assert.deepEqual(splitVersion('/v1.41/containers/json'), { prefix: '1.41', path: '/containers/json' });
  assert.deepEqual(splitVersion('/version'), { prefix: undefined, path: '/version' });
  assert.equal(negotiateVersion(undefined), 51);
});

test('versions out of range are refused in Docker’s words', () => {
  assert.equal(negotiateVersion('1.24'), 24);
  assert.equal(negotiateVersion('1.51'), 51);
  assert.throws(() => negotiateVersion('1.52'), {
    message: 'client version 1.52 is too new. Maximum supported API version is 1.51',
    kind: 'invalid',
  });
  assert.throws(() => negotiateVersion('2.0'), /too new/);
  assert.throws(() => negotiateVersion('1.5'), {
    message:
      'client version 1.5 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  });
  assert.throws(() => negotiateVersion('1'), /too old/);
});
