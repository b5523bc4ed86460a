import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { EndpointConfigSchema, HostConfigSchema } from '../../spec/container.ts';
import { NEWEST_API, OLDEST_API } from '../api-version.ts';
import { fakeContainer, fakeEngine, fakeImage } from '../fake-engine.ts';
import { containerInspect } from './container-inspect.ts';
import { containerSummary } from './container-summary.ts';
import { diskUsage } from './disk-usage.ts';
import { imageInspect, imageSummary } from './image.ts';
import { infoShape } from './info.ts';
import { networkShape } from './network.ts';

// Which fields come and go between the versions of the API, as Docker's version history tells.

const FIELDS: readonly (readonly [field: string, since: number, until: number])[] = [
  ['info.KernelMemory', 24, 41],
  ['info.KernelMemoryTCP', 24, 41],
  ['info.ExecutionDriver', 24, 24],
  ['info.CDISpecDirs', 44, 51],
  ['info.RegistryConfig.AllowNondistributableArtifactsCIDRs', 24, 46],
  ['info.RegistryConfig.AllowNondistributableArtifactsHostnames', 24, 46],
  ['info.RuncCommit.Expected', 24, 48],
  ['info.ContainerdCommit.Expected', 24, 48],
  ['info.InitCommit.Expected', 24, 48],
  ['info.FirewallBackend.Driver', 49, 51],
  ['info.BridgeNfIptables', 24, 49],
  ['info.BridgeNfIp6tables', 24, 49],
  ['inspect.HostConfig.KernelMemory', 24, 41],
  ['inspect.HostConfig.KernelMemoryTCP', 24, 41],
  ['inspect.NetworkSettings.Networks.bridge.DNSNames', 44, 51],
  ['inspect.NetworkSettings.Networks.bridge.GwPriority', 48, 51],
  ['inspect.NetworkSettings.IPAddress', 24, 51],
  ['inspect.NetworkSettings.Bridge', 24, 51],
  ['item.HostConfig.Annotations', 46, 51],
  ['item.NetworkSettings.Networks.bridge.DNSNames', 44, 51],
  ['images.VirtualSize', 24, 43],
  ['image.VirtualSize', 24, 43],
  ['image.Container', 24, 44],
  ['network.EnableIPv4', 48, 51],
  ['usage.BuilderSize', 24, 41],
];

const engine = fakeEngine();
const container = fakeContainer({
  hostConfig: v.parse(HostConfigSchema, { NetworkMode: 'default', Annotations: { a: 'b' } }),
  networks: { default: v.parse(EndpointConfigSchema, {}) },
});

async function shapes(api: number): Promise<Record<string, unknown>> {
  const [network] = engine.networks.list(new Map());
  assert.ok(network);
  return {
    info: infoShape(
      await engine.system.facts(),
      { statuses: [], images: 0, volumeDrivers: ['local'], now: new Date() },
      api,
    ),
    inspect: containerInspect(container, { api }),
    item: containerSummary(container, { image: 'busybox', now: Date.now(), api }),
    images: imageSummary(fakeImage, { containers: 0, api }),
    image: imageInspect(fakeImage, api),
    network: networkShape(network, { containers: [], api }),
    usage: diskUsage({}, () => 0, api),
  };
}

/** Whether a value has a field, given by its way to it. */
function has(value: unknown, path: string): boolean {
  const [name = '', ...rest] = path.split('.');
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
  return rest.length === 0 || has((value as Record<string, unknown>)[name], rest.join('.'));
}

test('fields come and go with the version of the API', async () => {
  for (let api = OLDEST_API; api <= NEWEST_API; api += 1) {
    const all = await shapes(api);
    const seen = FIELDS.map(([field]) => [field, has(all, field)]);
    assert.deepEqual(
      seen,
      FIELDS.map(([field, since, until]) => [field, since <= api && api <= until]),
      `1.${api}`,
    );
  }
});
