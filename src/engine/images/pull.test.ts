import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { refuse, startTestRegistry, type TestRegistry } from '../../remote/registry-fixture.ts';
import type { Platform } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { digestOf } from '../../util/digest.ts';
import { assertNothingStored, type ImagesFixture, openImagesFixture, tarOf } from './images-fixture.ts';

const LAYERS = [tarOf({ one: '1' }), tarOf({ two: '2', big: 'x'.repeat(100_000) })];
const { signal } = new AbortController();

async function pull({ images }: ImagesFixture, image: string, tag = '', platform?: Platform): Promise<string[]> {
  const lines: string[] = [];
  for await (const { id, status = '' } of images.pull({ image, tag, signal, ...(platform ? { platform } : {}) }))
    lines.push(id === undefined ? status : `${id}: ${status}`);
  return lines;
}

const gets = ({ requests }: TestRegistry): string[] => requests.filter((request) => request.startsWith('GET'));

describe('a pull', () => {
  test('brings an image here, tells each step, and knows it afterwards by tag and digest', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const name = `${registry.host}/some/app`;
    const { digest, id, layers } = registry.addImage('some/app', '1', LAYERS);
    const lines = await pull(fixture, name, '1');
    const [a = '', b = ''] = layers.map((layer) => layer.slice(7, 19));
    assert.deepEqual(lines.slice(0, 3), [
      '1: Pulling from some/app',
      `${a}: Pulling fs layer`,
      `${b}: Pulling fs layer`,
    ]);
    for (const layer of [a, b]) {
      const own = lines.filter((line) => line.startsWith(layer)).map((line) => line.slice(14));
      assert.deepEqual(own.slice(-4), ['Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete']);
    }
    assert.deepEqual(lines.slice(-2), [`Digest: ${digest}`, `Status: Downloaded newer image for ${name}:1`]);
    const image = fixture.images.get(`${name}:1`);
    assert.deepEqual([image.id, image.repoTags, image.repoDigests], [id, [`${name}:1`], [`${name}@${digest}`]]);
    assert.equal(fixture.images.get(`${name}@${digest}`).id, id);
    assert.deepEqual(fixture.events, [`pull ${name}`]);
    await fixture.reopen();
    assert.deepEqual(fixture.images.get(id).repoDigests, [`${name}@${digest}`]);
  });

  test('of what has not changed is one question', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { digest } = registry.addImage('app', 'latest', LAYERS);
    const name = `${registry.host}/app`;
    await pull(fixture, name, 'latest');
    registry.requests.length = 0;
    assert.deepEqual(await pull(fixture, `${name}:latest`), [
      'latest: Pulling from app',
      `Digest: ${digest}`,
      `Status: Image is up to date for ${name}:latest`,
    ]);
    assert.deepEqual(
      registry.requests.filter((request) => !request.includes('/v2/ ')),
      ['HEAD /v2/app/manifests/latest'],
    );
    registry.requests.length = 0;
    await pull(fixture, `${name}@${digest}`);
    assert.deepEqual(registry.requests, []);
  });

  test('fetches only what is not here', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    registry.addImage('app', '1', LAYERS);
    const { layers } = registry.addImage('app', '2', [...LAYERS, tarOf({ three: '3' })]);
    await pull(fixture, `${registry.host}/app`, '1');
    registry.requests.length = 0;
    const lines = await pull(fixture, `${registry.host}/app`, '2');
    assert.equal(lines.filter((line) => line.endsWith('Already exists')).length, 2);
    assert.deepEqual(gets(registry).filter((request) => request.includes('/blobs/')).length, 2);
    assert.ok(gets(registry).includes(`GET /v2/app/blobs/${layers[2]}`));
  });

  test('takes the platform that is wanted from an index, and no attestation', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const amd = registry.addImage('multi', 'amd', [tarOf({ arch: 'amd64' })]);
    const arm = registry.addImage('multi', 'arm', [tarOf({ arch: 'arm64' })], { os: 'linux', architecture: 'arm64' });
    const digest = registry.addIndex('multi', 'all', [
      { image: amd, platform: { os: 'unknown', architecture: 'unknown' } },
      { image: amd, platform: { os: 'windows', architecture: 'amd64' } },
      { image: arm, platform: { os: 'linux', architecture: 'arm64' } },
      { image: amd, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const name = `${registry.host}/multi`;
    await pull(fixture, name, 'all', { os: 'linux', architecture: 'amd64' });
    assert.equal(fixture.images.get(`${name}:all`).id, amd.id);
    assert.deepEqual(fixture.images.get(amd.id).repoDigests, [`${name}@${digest}`]);
    await pull(fixture, name, 'all', { os: 'linux', architecture: 'arm64', variant: 'v8' });
    assert.equal(fixture.images.get(`${name}:all`).id, arm.id);
    await assert.rejects(pull(fixture, name, 'all', { os: 'linux', architecture: 's390x' }), {
      kind: 'not-found',
      message: 'no matching manifest for linux/s390x in the manifest list entries',
    });
  });

  test('of a repository without a tag brings all its tags', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    for (const tag of ['1', '2']) registry.addImage('app', tag, [tarOf({ tag })]);
    await pull(fixture, `${registry.host}/app`);
    assert.deepEqual(
      fixture.images
        .list({ all: false, filters: new Map() })
        .flatMap(({ repoTags }) => repoTags)
        .toSorted(),
      [`${registry.host}/app:1`, `${registry.host}/app:2`],
    );
  });

  test('by two at once fetches each blob once', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    registry.addImage('app', '1', LAYERS);
    registry.addImage('other', '1', LAYERS);
    await Promise.all(['app', 'other'].map((path) => pull(fixture, `${registry.host}/${path}`, '1')));
    const blobs = gets(registry)
      .filter((request) => request.includes('/blobs/'))
      .map((request) => request.slice(-71));
    assert.equal(new Set(blobs).size, blobs.length, blobs.join('\n'));
  });

  test('what a registry does not have, or will not give, is told in Docker’s words', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const name = `${registry.host}/app`;
    await assert.rejects(pull(fixture, name, 'x'), {
      kind: 'not-found',
      message: `manifest for ${name}:x not found: manifest unknown: manifest unknown`,
    });
    registry.addImage('app', 'x', LAYERS);
    await pull(fixture, name, 'x');
    registry.manifests.clear();
    await assert.rejects(pull(fixture, name, 'x'), {
      kind: 'not-found',
      message: `manifest for ${name}:x not found: manifest unknown: manifest unknown`,
    });
    await fixture.images.remove(`${name}:x`, { force: false, noprune: false });
    registry.before = (_, res) => {
      refuse(res, 403, 'DENIED', 'requested access to the resource is denied');
      return true;
    };
    await assert.rejects(pull(fixture, name, 'x'), {
      kind: 'not-found',
      message: `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    });
    await assert.rejects(pull(fixture, 'scratch', 'latest'), {
      kind: 'forbidden',
      message: "'scratch' is a reserved name",
    });
    assertNothingStored(fixture);
  });

  test('what a registry lies about is refused, and nothing of it stays', async () => {
    await using fixture = await openImagesFixture();
    const lies: [why: RegExp, lie: (registry: TestRegistry) => void][] = [
      [
        /filesystem layer verification failed/,
        (registry) => {
          const {
            layers: [first = ''],
          } = registry.addImage('app', '1', LAYERS);
          const bytes = Buffer.from(registry.blobs.get(first) ?? '');
          bytes[20] = (bytes[20] ?? 0) ^ 1;
          registry.blobs.set(first, bytes);
        },
      ],
      [
        /more than the \d+ bytes expected/,
        (registry) => {
          const {
            layers: [first = ''],
          } = registry.addImage('app', '1', LAYERS);
          const bytes = Buffer.concat([registry.blobs.get(first) ?? Buffer.alloc(0), Buffer.from('x')]);
          registry.blobs.set(first, bytes);
        },
      ],
      [
        /manifest verification failed/,
        (registry) => {
          const image = registry.addImage('app', 'one', LAYERS);
          registry.addIndex('app', '1', [{ image, platform: { os: 'linux', architecture: 'amd64' } }]);
          registry.manifests.set(`app@${image.digest}`, {
            bytes: Buffer.from('{"schemaVersion":2}'),
            type: mediaTypes.ociManifest,
          });
        },
      ],
      [
        /both a manifest and an index/,
        (registry) => {
          const bytes = Buffer.from('{"schemaVersion":2,"manifests":[],"layers":[]}');
          registry.manifests.set('app:1', { bytes, type: mediaTypes.ociIndex });
        },
      ],
      [
        /schema 1 is not supported/,
        (registry) => {
          registry.manifests.set('app:1', {
            bytes: Buffer.from('{"schemaVersion":1}'),
            type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
          });
        },
      ],
      [
        /unsupported media type text\/html/,
        (registry) => {
          registry.manifests.set('app:1', { bytes: Buffer.from('{}'), type: 'text/html' });
        },
      ],
      [
        /max depth exceeded/,
        (registry) =>
          void registry.addImage(
            'app',
            '1',
            Array.from({ length: 126 }, () => tarOf({ a: 'b' })),
          ),
      ],
      [
        /invalid diffID for layer/,
        (registry) => {
          const {
            layers: [first = '', second = ''],
          } = registry.addImage('app', '1', LAYERS);
          const { bytes } = registry.manifests.get('app:1') ?? { bytes: Buffer.alloc(0) };
          const swapped = bytes
            .toString()
            .replaceAll(/sha256:[0-9a-f]{64}/g, (digest) =>
              digest === first ? second : digest === second ? first : digest,
            );
          const sizes = JSON.parse(swapped) as { layers: { size: number }[] };
          sizes.layers = sizes.layers.toReversed().map((layer, at) => ({ ...layer, digest: [second, first][at] }));
          registry.manifests.set('app:1', { bytes: Buffer.from(JSON.stringify(sizes)), type: mediaTypes.ociManifest });
        },
      ],
      [
        /layers from manifest don't match image configuration/,
        (registry) => {
          registry.addImage('app', '1', LAYERS);
          const { bytes } = registry.manifests.get('app:1') ?? { bytes: Buffer.alloc(0) };
          const manifest = JSON.parse(bytes.toString()) as { layers: object[] };
          manifest.layers.pop();
          registry.manifests.set('app:1', {
            bytes: Buffer.from(JSON.stringify(manifest)),
            type: mediaTypes.ociManifest,
          });
        },
      ],
    ];
    for (const [why, lie] of lies) {
      await using registry = await startTestRegistry();
      lie(registry);
      await assert.rejects(pull(fixture, `${registry.host}/app`, '1'), why);
      // Of the other layer a part may have come, which is as good as it was.
      assertNothingStored(fixture, '.partial');
    }
  });

  test('what the host lost comes again, and the engine starts without it', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { id, layers } = registry.addImage('app', '1', LAYERS);
    const name = `${registry.host}/app`;
    await pull(fixture, name, '1');
    for (const lost of [id, ...layers]) {
      rmSync(join(fixture.store.dirs.content, lost.slice(7)));
      await fixture.reopen();
      if (lost === id) assert.throws(() => fixture.images.get(`${name}:1`), { kind: 'not-found' });
      registry.requests.length = 0;
      const lines = await pull(fixture, name, '1');
      assert.deepEqual(
        gets(registry).filter((request) => request.includes('/blobs/')),
        [`GET /v2/app/blobs/${lost}`],
      );
      if (lost !== id) assert.ok(lines.includes(`${lost.slice(7, 19)}: Pull complete`), lines.join('\n'));
      assert.equal(fixture.images.get(`${name}:1`).id, id);
      assert.ok(fixture.store.content.intact(lost));
    }
  });

  test('that nobody waits for any more stops, and the next goes on where it was', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { layers } = registry.addImage('app', '1', LAYERS);
    const [, slow = ''] = layers;
    const bytes = registry.blobs.get(slow) ?? Buffer.alloc(0);
    const half = Math.floor(bytes.length / 2);
    const gone = new AbortController();
    registry.before = (req, res) => {
      if (!req.url?.endsWith(slow)) return false;
      res.writeHead(200, { 'content-length': bytes.length });
      res.write(bytes.subarray(0, half), () => setTimeout(() => gone.abort(new Error('the client is gone')), 50));
      return true;
    };
    const lines = fixture.images.pull({ image: `${registry.host}/app`, tag: '1', signal: gone.signal });
    await assert.rejects(Array.fromAsync(lines), /the client is gone/);
    registry.before = () => false;
    registry.headers.length = 0;
    await pull(fixture, `${registry.host}/app`, '1');
    assert.deepEqual(
      registry.headers.flatMap(({ range }) => range ?? []),
      [`bytes=${half}-`],
    );
  });

  test('layers are what the registry’s are', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { id, layers } = registry.addImage('app', '1', LAYERS);
    await pull(fixture, `${registry.host}/app`, '1');
    const { chainIds } = fixture.images.get(id);
    for (const [at, layer] of layers.entries()) {
      const { blob, diffId } = fixture.store.layers.get(chainIds[at] ?? '');
      assert.equal(blob, layer);
      assert.equal(diffId, digestOf(gunzipSync(registry.blobs.get(layer) ?? '')));
    }
  });
});
