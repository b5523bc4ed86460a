import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkInsecure, checkMirror, endpointsOf, type RegistrySettings } from './registries.ts';

let dir = '';
const settings = (more: Partial<RegistrySettings> = {}): RegistrySettings => ({
  mirrors: [],
  insecure: [],
  certsDirs: [dir],
  ...more,
});

async function put(registry: string, files: Record<string, string>): Promise<void> {
  await mkdir(join(dir, registry), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, registry, name), text);
}

const bases = async (registry: string, more?: Partial<RegistrySettings>): Promise<string[]> =>
  (await endpointsOf(settings(more), registry)).map(({ base }) => base);

describe('the servers of a registry', () => {
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-certs-'));
  });
  after(() => rm(dir, { recursive: true }));

  test('a registry is asked over TLS, the official one after its mirrors', async () => {
    assert.deepEqual(await bases('192.0.2.1:5000'), ['https://192.0.2.1:5000/v2']);
    const mirrors = ['http://192.0.2.2:5000', 'https://192.0.2.3/hub/'];
    assert.deepEqual(await bases('docker.io', { mirrors }), [
      'http://192.0.2.2:5000/v2',
      'https://192.0.2.3/hub/v2',
      'https://registry-1.docker.io/v2',
    ]);
    assert.deepEqual(await bases('192.0.2.1:5000', { mirrors }), ['https://192.0.2.1:5000/v2']);
  });

  test('an insecure one is tried without trust, then without TLS', async () => {
    const both = (host: string) => [`https://${host}/v2`, `http://${host}/v2`];
    assert.deepEqual(await bases('127.0.0.1:5000'), both('127.0.0.1:5000'));
    assert.deepEqual(await bases('[::1]:5000'), both('[::1]:5000'));
    assert.deepEqual(await bases('192.0.2.1:5000', { insecure: ['192.0.2.1:5000'] }), both('192.0.2.1:5000'));
    assert.deepEqual(await bases('192.0.2.1:5000', { insecure: ['192.0.2.0/24'] }), both('192.0.2.1:5000'));
    assert.deepEqual(await bases('192.0.2.1:5000', { insecure: ['192.0.2.1:5001', '198.51.100.0/24'] }), [
      'https://192.0.2.1:5000/v2',
    ]);
    const [endpoint] = await endpointsOf(settings(), '127.0.0.1:5000');
    assert.equal(endpoint?.tls.verify, false);
  });

  test('certificates come from the registry’s directory', async () => {
    await put('192.0.2.7', { 'a.crt': 'A', 'b.crt': 'B', 'me.cert': 'C', 'me.key': 'K', readme: '' });
    const [endpoint] = await endpointsOf(settings(), '192.0.2.7');
    assert.deepEqual(endpoint?.tls, { ca: ['A', 'B'], cert: 'C', key: 'K', verify: true });
    await put('192.0.2.8', { 'me.cert': 'C' });
    await assert.rejects(bases('192.0.2.8'), {
      kind: 'invalid',
      message: /^missing key me.key for client certificate me.cert/,
    });
    await put('192.0.2.9', { 'me.key': 'K' });
    await assert.rejects(bases('192.0.2.9'), {
      kind: 'invalid',
      message: /^missing client certificate me.cert for key me.key/,
    });
  });

  test('a hosts.toml decides for its registry', async () => {
    const text = `
      server = "https://real.example"
      [host."http://mirror.example:5000"]
        capabilities = ["pull", "resolve"]
        skip_verify = true
        [host."http://mirror.example:5000".header]
          X-Key = ["a", "b"]
      [host."https://cache.example/some/path"]
        override_path = true
        capabilities = ["pull"]
        ca = "ca.pem"
        client = [["c.pem", "k.pem"]]`;
    await put('hub.example', { 'hosts.toml': text, 'ca.pem': 'CA', 'c.pem': 'C', 'k.pem': 'K' });
    const [mirror, cache, own] = await endpointsOf(settings(), 'hub.example');
    assert.deepEqual(mirror, {
      base: 'http://mirror.example:5000/v2',
      tls: { ca: [], verify: false },
      headers: { 'x-key': 'a, b' },
      capabilities: new Set(['pull', 'resolve']),
      namespace: 'hub.example',
      own: false,
    });
    assert.equal(cache?.base, 'https://cache.example/some/path');
    assert.deepEqual(cache?.tls, { ca: ['CA'], cert: 'C', key: 'K', verify: true });
    assert.deepEqual([own?.base, own?.own], ['https://real.example/v2', true]);
  });

  test('a broken hosts.toml is told with its name', async () => {
    for (const [text, why] of [
      ['server = ', /hosts\.toml: /],
      ['server = 3', /hosts\.toml: /],
      ['[host."ftp://x"]', /"ftp:\/\/x" is not an address/],
      ['capabilities = ["fly"]', /unknown capability fly/],
    ] as const) {
      await put('broken.example', { 'hosts.toml': text });
      await assert.rejects(bases('broken.example'), { kind: 'invalid', message: why });
    }
  });
});

test('what the configuration may say', () => {
  assert.equal(checkMirror('https://mirror.example/a'), 'https://mirror.example/a');
  for (const [mirror, why] of [
    ['mirror', /"mirror" is not a valid URI/],
    ['ftp://a', /unsupported scheme "ftp"/],
    ['https://a:b@c', /username\/password not allowed/],
    ['https://a/?q=1', /query, or fragment/],
  ] as const) {
    assert.throws(() => checkMirror(mirror), { kind: 'invalid', message: why });
  }
  for (const good of ['a.example', 'a.example:5000', '10.0.0.0/8', '[::1]:5000'])
    assert.equal(checkInsecure(good), good);
  assert.equal(checkInsecure('http://a.example'), 'a.example');
  for (const bad of ['', '-a', 'svn://a', 'a/b/c']) assert.throws(() => checkInsecure(bad), { kind: 'invalid' });
});
