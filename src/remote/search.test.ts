import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestRegistry, type TestRegistry } from './registry-fixture.ts';
import { localRemote } from './remote-fixture.ts';
import { type SearchRequest, splitTerm } from './search.ts';

const { signal } = new AbortController();
const NOBODY: Omit<SearchRequest, 'words'> = { limit: 25, credentials: undefined, signal };

/** Lets the registry answer searches with `body`. */
function answerSearches(registry: TestRegistry, body: string, status = 200): void {
  registry.before = (req, res) => {
    if (!req.url?.startsWith('/v1/search')) return false;
    res.writeHead(status, { 'content-type': 'application/json' }).end(body);
    return true;
  };
}

test('a term may begin with the host of a registry', () => {
  assert.deepEqual(splitTerm('busybox'), { registry: 'docker.io', words: 'busybox' });
  assert.deepEqual(splitTerm('library/busybox'), { registry: 'docker.io', words: 'busybox' });
  assert.deepEqual(splitTerm('some/app'), { registry: 'docker.io', words: 'some/app' });
  assert.deepEqual(splitTerm('docker.io/library/app'), { registry: 'docker.io', words: 'app' });
  assert.deepEqual(splitTerm('localhost/app'), { registry: 'localhost', words: 'app' });
  assert.deepEqual(splitTerm('host:5000/library/app'), { registry: 'host:5000', words: 'library/app' });
  assert.throws(() => splitTerm('http://host/app'), { kind: 'invalid', message: /^invalid repository name/ });
});

test('a search asks as Docker does, and tells who asks at once', async () => {
  await using registry = await startTestRegistry();
  answerSearches(registry, '{"results":[{"name":"a","star_count":2,"description":null}]}');
  const credentials = { username: 'ann', password: 'secret', identityToken: '', registryToken: '' };
  const found = await localRemote().search(`${registry.host}/a b&c`, { ...NOBODY, limit: 7, credentials });
  assert.deepEqual(found, [{ name: 'a', description: '', star_count: 2, is_official: false, is_automated: false }]);
  assert.deepEqual(registry.requests, ['GET /v1/_ping', 'GET /v1/search?q=a+b%26c&n=7']);
  const headers = registry.headers.at(-1);
  assert.deepEqual(
    [headers?.['x-docker-token'], headers?.authorization],
    ['true', `Basic ${Buffer.from('ann:secret').toString('base64')}`],
  );
});

test('what is no answer is an error', async () => {
  await using registry = await startTestRegistry();
  const search = () => localRemote().search(`${registry.host}/a`, NOBODY);
  answerSearches(registry, 'oops', 500);
  await assert.rejects(search(), { name: 'RegistryError', message: 'Unexpected status code 500' });
  answerSearches(registry, 'nonsense');
  await assert.rejects(search(), { name: 'RegistryError', message: /^error decoding registry search results/ });
  answerSearches(registry, '{}');
  assert.deepEqual(await search(), []);
  await assert.rejects(localRemote().search('127.0.0.1:1/a', NOBODY), {
    name: 'Unreachable',
    message:
      /HTTPS attempt: Get "https:\/\/127\.0\.0\.1:1\/v1\/_ping": dial tcp .* refused\. HTTP attempt: Get "http:\/\/127/,
  });
});

test('a redirect to another host is not told who asks', async () => {
  await using registry = await startTestRegistry();
  await using other = await startTestRegistry();
  answerSearches(other, '{"results":[]}');
  registry.before = (req, res) => {
    if (!req.url?.startsWith('/v1/search')) return false;
    res.writeHead(302, { location: `http://${other.host}${req.url}` }).end();
    return true;
  };
  const credentials = { username: 'ann', password: 'secret', identityToken: '', registryToken: '' };
  await localRemote().search(`${registry.host}/a`, { ...NOBODY, credentials });
  assert.equal(other.headers.at(-1)?.authorization, undefined);
});
