import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { openFixture } from './api-fixture.ts';
import { fakeContainer } from './fake-engine.ts';
import { type Description, misfits, missing, type Shape } from './fits-swagger.ts';

// Docker publishes its description of the API; point GANTRY_SWAGGER at a copy of version 1.51.
const file = process.env['GANTRY_SWAGGER'];
const skip = file === undefined && 'GANTRY_SWAGGER does not name a description of the API';
const load = async () => parse(await readFile(file ?? '', 'utf8')) as Description;

/** Fields that are only there under some condition, or deprecated without a value of ours. */
const OPTIONAL: Record<string, string[]> = {
  '/containers/{id}/json': ['ImageManifestDescriptor', 'SizeRw', 'SizeRootFs'],
  '/containers/json': ['ImageManifestDescriptor', 'SizeRw', 'SizeRootFs'],
  '/images/{name}/json': ['Descriptor', 'Manifests', 'Variant', 'OsVersion', 'VirtualSize'],
  '/images/json': ['Descriptor', 'Manifests', 'VirtualSize'],
  '/exec/{id}/json': [],
  '/info': [
    'SystemStatus',
    'KernelMemoryTCP',
    'DefaultAddressPools',
    'FirewallBackend',
    'DiscoveredDevices',
    'CDISpecDirs',
    'Containerd',
    'BridgeNfIptables',
    'BridgeNfIp6tables',
    'ClusterStore',
    'ClusterAdvertise',
    'ProductLicense',
  ],
  '/networks/{id}': ['Peers'],
  '/networks': ['Peers'],
  '/version': ['Experimental'],
};

const ENDPOINTS: [string, string][] = [
  ['/containers/json', '/containers/json'],
  ['/containers/{id}/json', '/containers/web/json'],
  ['/containers/{id}/top', '/containers/web/top'],
  ['/images/json', '/images/json'],
  ['/images/{name}/json', '/images/busybox/json'],
  ['/images/{name}/history', '/images/busybox/history'],
  ['/networks', '/networks'],
  ['/networks/{id}', '/networks/bridge'],
  ['/system/df', '/system/df'],
  ['/info', '/info'],
  ['/version', '/version'],
];

for (const [path, url] of ENDPOINTS) {
  test(`GET ${path} fits Docker's description`, { skip }, async () => {
    const description = await load();
    const shape: Shape = description.paths[path]?.['get']?.responses['200']?.schema ?? {};
    await using api = await openFixture();
    api.engine.all.push(fakeContainer({ name: 'web' }));
    const { json } = await api.call('GET', url);
    assert.deepEqual(misfits(description, shape, json), []);
    const [one, of] = Array.isArray(json) ? [json[0], shape.items ?? {}] : [json, shape];
    const lacking = missing(description, of, one).filter((name) => !OPTIONAL[path]?.includes(name));
    assert.deepEqual(lacking, []);
  });
}

test('every path of the description is answered by something', { skip }, async () => {
  const description = await load();
  await using api = await openFixture();
  const unanswered = [];
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const method of Object.keys(methods)) {
      const url = path.replace(/\{\w+\}/g, 'none');
      const url2 = path === '/events' ? '/events?until=1' : url;
      const { body } = await api.call(method.toUpperCase(), url2);
      if (body.includes('page not found')) unanswered.push(`${method} ${path}`);
    }
  }
  assert.deepEqual(unanswered, []);
});

test('differences are found', () => {
  const api: Description = { definitions: { X: { type: 'object', properties: { a: { type: 'string' } } } }, paths: {} };
  const shape = { type: 'array', items: { $ref: '#/definitions/X' } };
  assert.deepEqual(misfits(api, shape, [{ a: 1 }, { a: 'x' }, { a: null }]), ['$[0].a: not string: 1']);
  assert.deepEqual(missing(api, { $ref: '#/definitions/X' }, {}), ['a']);
});
