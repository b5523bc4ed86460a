import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';

test('what registries send is read', () => {
  const value = 'Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push"';
  assert.deepEqual(parseChallenges([value]), [
    {
      scheme: 'bearer',
      parameters: { realm: 'https://auth.example.com/token', service: 'registry', scope: 'repository:a/b:pull,push' },
    },
  ]);
  assert.deepEqual(parseChallenges(['BASIC Realm=plain']), [{ scheme: 'basic', parameters: { realm: 'plain' } }]);
});

test('several ways, in one header or in two', () => {
  const schemes = (values: string[]) => parseChallenges(values).map(({ scheme }) => scheme);
  assert.deepEqual(schemes(['Negotiate, Basic realm="a, b=c", Bearer realm="d"']), ['negotiate', 'basic', 'bearer']);
  assert.deepEqual(schemes(['Basic realm="a"', 'Bearer realm="b"']), ['basic', 'bearer']);
});

test('quotes inside of quotes, and what is not a challenge', () => {
  assert.deepEqual(parseChallenges(['Basic realm="a \\"b\\" c"'])[0]?.parameters, { realm: 'a "b" c' });
  assert.deepEqual(parseChallenges(['', '"', ' , ']), []);
});
