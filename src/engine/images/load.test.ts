import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { startTestRegistry } from '../../remote/registry-fixture.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { digestOf } from '../../util/digest.ts';
import { dockerArchive, type ImagesFixture, imageOf, ociArchive, openImagesFixture, tarOf } from './images-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'unpacking layers needs root';
const image = imageOf([{ a: 'one', b: 'two' }, { c: 'three' }]);

const manifestText = (files: Readonly<Record<string, unknown>>): string => String(files['manifest.json']);

/** Names of what is on disk. */
async function onDisk({ store }: ImagesFixture): Promise<string[]> {
  const dirs = [store.dirs.layers, join(store.dirs.content, ''), store.dirs.links, store.dirs.tmp, store.dirs.ingest];
  const names = await Promise.all(dirs.map((dir) => readdir(dir)));
  return names.flat().filter((name) => /^[a-f0-9]{64}$/.test(name) || name.length > 20);
}

async function contentOf({ images }: ImagesFixture, ref: string, name: string): Promise<string> {
  for (const dir of images.lowerDirs(images.get(ref))) {
    const text = await readFile(join(dir, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`${name} is in no layer`);
}

test('the old layout of Docker loads, tags and tells so', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const lines = await fixture.load(tarOf(dockerArchive([{ image, tags: ['x:1', 'y:2'] }])));
  assert.deepEqual(lines, [{ stream: 'Loaded image: x:1\n' }, { stream: 'Loaded image: y:2\n' }]);
  const loaded = fixture.images.get('x:1');
  assert.equal(loaded.id, image.id);
  assert.equal(loaded.size, 'onetwothree'.length);
  assert.deepEqual(loaded.repoTags, ['x:1', 'y:2']);
  assert.deepEqual(fixture.events, [`load ${image.id}`]);
  assert.equal(await contentOf(fixture, 'y:2', 'b'), 'two');
  assert.deepEqual(
    fixture.images.history('x:1').map(({ id, createdBy, size }) => [id, createdBy, size]),
    [
      [image.id, 'step 1', 5],
      ['<missing>', 'step 0', 6],
    ],
  );
});

/** As Docker wrote it before 1.10. */
function oldestArchive(): Record<string, string> {
  const made = image.layers.map((layer, at) => ({ id: String(at + 1).repeat(64), layer }));
  const files: Record<string, string> = { repositories: JSON.stringify({ x: { '1': made.at(-1)?.id } }) };
  for (const [at, { id, layer }] of made.entries()) {
    files[`${id}/VERSION`] = '1.0';
    files[`${id}/layer.tar`] = layer.toString('latin1');
    files[`${id}/json`] = JSON.stringify({
      id,
      ...(at === 0 ? {} : { parent: made[at - 1]?.id }),
      created: '2015-01-02T03:04:05.678Z',
      container_config: { Cmd: ['/bin/sh', '-c', `step ${at} && <x>`] },
      docker_version: '1.9.1',
      config: { Cmd: ['sh'] },
      architecture: 'amd64',
      os: 'linux',
      Size: 3,
    });
  }
  return files;
}

test('what Docker wrote before 1.10 loads, as it does there', { skip }, async () => {
  await using fixture = await openImagesFixture();
  assert.deepEqual(await fixture.load(tarOf(oldestArchive())), [{ stream: 'Loaded image: x:1\n' }]);
  const loaded = fixture.images.get('x:1');
  // dockerd 20.10 gives it this id.
  assert.equal(loaded.id, 'sha256:4c747a7abdca6d35c749903f42512058d0ae21f44e83fb3c6514b86807540c9d');
  assert.deepEqual(loaded.config.rootfs.diff_ids, image.layers.map(digestOf));
  assert.deepEqual(
    fixture.images.history('x:1').map(({ createdBy }) => createdBy),
    ['/bin/sh -c step 1 && <x>', '/bin/sh -c step 0 && <x>'],
  );
  const wrong = { ...oldestArchive(), repositories: '{"x":{"1":"../etc"}}' };
  await assert.rejects(fixture.load(tarOf(wrong)), { kind: 'invalid', message: 'image ID "../etc" is invalid' });
  const circle = oldestArchive();
  const [first = ''] = Object.keys(circle).filter((name) => name.endsWith('/json'));
  circle[first] = circle[first]?.replace('{', `{"parent":"${'2'.repeat(64)}",`) ?? '';
  await assert.rejects(fixture.load(tarOf(circle)), { kind: 'invalid', message: /go round in circles/ });
});

test('OCI layouts load: plain, in an index, without a name, and compressed once more', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const id = [{ stream: `Loaded image ID: ${image.id}\n` }];
  const named = [{ stream: 'Loaded image: x:1\n' }];
  assert.deepEqual(await fixture.load(tarOf(ociArchive(image, undefined))), id);
  assert.deepEqual(await fixture.load(tarOf(ociArchive(image, 'latest'))), id);
  assert.deepEqual(await fixture.load(tarOf(ociArchive(image, 'docker.io/library/x:1', true))), named);
  assert.deepEqual(await fixture.load(gzipSync(tarOf(ociArchive(image, 'x:1')))), named);
  assert.deepEqual(await fixture.load(zstdCompressSync(tarOf(ociArchive(image, 'x:1')))), named);
  assert.equal(await contentOf(fixture, 'x:1', 'c'), 'three');
});

/** The archive with its index in others, one in the other, each named as often as told. */
function nested(
  archive: Record<string, string | Buffer>,
  times: number,
  levels: number,
): Record<string, string | Buffer> {
  const files = { ...archive };
  let { manifests } = JSON.parse(String(files['index.json'])) as { manifests: object[] };
  for (let depth = 0; depth < levels; depth++) {
    const all = Array.from({ length: times }, () => manifests).flat();
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: all }));
    files[`blobs/sha256/${digestOf(bytes).slice(7)}`] = bytes;
    manifests = [{ mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length }];
  }
  return { ...files, 'index.json': JSON.stringify({ schemaVersion: 2, manifests }) };
}

/** The archive with its index in several others, named by each as often as told. */
function manyIndexes(archive: Record<string, string | Buffer>, times: number[]): Record<string, string | Buffer> {
  const all = times.map((count) => nested(archive, count, 1));
  const manifests = all.flatMap((one) => (JSON.parse(String(one['index.json'])) as { manifests: object[] }).manifests);
  return Object.assign({}, ...all, { 'index.json': JSON.stringify({ schemaVersion: 2, manifests }) });
}

test('an image that indexes name over and over is one image', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const lines = await fixture.load(tarOf(nested(ociArchive(image, undefined, true), 20, 2)));
  assert.deepEqual(lines, [{ stream: `Loaded image ID: ${image.id}\n` }]);
});

test('an image that was pulled keeps its manifest when it is loaded again', { skip }, async () => {
  await using registry = await startTestRegistry();
  await using fixture = await openImagesFixture();
  const { signal } = new AbortController();
  const { id } = registry.addImage('app', '1', image.layers);
  const { bytes = Buffer.alloc(0), type = '' } = registry.manifests.get('app:1') ?? {};
  const told = { bytes: Buffer.from(`${String(bytes)}\n`), type };
  const digest = digestOf(told.bytes);
  registry.manifests.set('app:1', told).set(`app@${digest}`, told);
  const name = `${registry.host}/app:1`;
  await Array.fromAsync(fixture.images.pull({ image: name, tag: '', signal }));
  const config = registry.blobs.get(id) ?? Buffer.alloc(0);
  const pulled = { id, config, layers: image.layers };
  await fixture.load(tarOf(dockerArchive([{ image: pulled, tags: ['x:1'] }])));
  assert.equal(fixture.images.get('x:1').target?.digest, digest);
  assert.equal(fixture.store.images.find(id)?.manifest, digest);
  await fixture.images.remove('x:1', { force: false, noprune: false });
  assert.deepEqual(fixture.images.get(name).repoDigests, [`${registry.host}/app@${digest}`]);
  assert.ok(fixture.store.content.has(digest));
});

test('several images, shared and linked layers, members in any order', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const other = imageOf([{ a: 'one', b: 'two' }, { d: 'four' }]);
  const files: Parameters<typeof tarOf>[0] = dockerArchive([
    { image, tags: ['x:1'] },
    { image: other, tags: [] },
  ]);
  const [shared = '', ...rest] = Object.keys(files).filter((name) => name.endsWith('/layer.tar'));
  const linked = { ...files, 'linked/layer.tar': { link: `../${shared}` } };
  const manifest = manifestText(files).replaceAll(shared, 'linked/layer.tar');
  const shuffled = Object.fromEntries(Object.entries({ ...linked, 'manifest.json': manifest }).reverse());
  assert.equal(rest.length, 2);
  const lines = await fixture.load(tarOf(shuffled), false);
  assert.deepEqual(
    lines.flatMap(({ stream }) => stream ?? []),
    ['Loaded image: x:1\n', `Loaded image ID: ${other.id}\n`],
  );
  assert.ok(lines.some(({ status, id }) => status === 'Loading layer' && id?.length === 12));
  assert.equal(fixture.images.list({ all: true, filters: new Map() }).length, 2);
});

test('a tag moves and the old image stays without it, also after a restart', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const newer = imageOf([{ a: 'new' }]);
  await fixture.load(tarOf(dockerArchive([{ image, tags: ['x:1'] }])));
  const lines = await fixture.load(tarOf(dockerArchive([{ image: newer, tags: ['x:1'] }])));
  assert.deepEqual(lines, [
    { stream: `The image x:1 already exists, renaming the old one with ID ${image.id} to empty string\n` },
    { stream: 'Loaded image: x:1\n' },
  ]);
  await fixture.reopen();
  assert.equal(fixture.images.get('x:1').id, newer.id);
  assert.deepEqual(fixture.images.get(image.id).repoTags, []);
});

test('two loads of the same archive at once make one image', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const archive = tarOf(dockerArchive([{ image, tags: ['x:1'] }]));
  await Promise.all([fixture.load(archive), fixture.load(archive)]);
  assert.equal(fixture.images.list({ all: true, filters: new Map() }).length, 1);
  assert.equal(await contentOf(fixture, 'x:1', 'a'), 'one');
});

const good = dockerArchive([{ image, tags: ['x:1'] }]);
const oci = ociArchive(image, 'x:1');
const entry = (change: object): string =>
  JSON.stringify([{ ...JSON.parse(String(good['manifest.json']))[0], ...change }]);
const someBlob = Object.keys(oci).find((name) => name.startsWith('blobs/')) ?? '';
const big = `{"a":"${'x'.repeat(5 << 20)}"}`;

const hostile: Record<string, [archive: Buffer, message: RegExp]> = {
  'not an archive': [Buffer.alloc(2048, 'x'), /invalid tar header/],
  'nothing of an image': [tarOf({ a: 'b' }), /neither manifest.json nor index.json/],
  'config out of the archive': [
    tarOf({ ...good, 'manifest.json': entry({ Config: '../../etc/passwd' }) }),
    /leads out/,
  ],
  'absolute layer': [
    tarOf({ ...good, 'manifest.json': entry({ Layers: ['/etc/passwd', '/etc/group'] }) }),
    /leads out/,
  ],
  'missing layer': [tarOf({ ...good, 'manifest.json': entry({ Layers: ['a', 'b'] }) }), /"a" is missing/],
  'fewer layers than diff ids': [
    tarOf({ ...good, 'manifest.json': entry({ Layers: [] }) }),
    /layers length mismatch: expected 2, got 0/,
  ],
  'layers changed about': [
    tarOf({ ...good, 'manifest.json': entry({ Layers: JSON.parse(entry({}))[0].Layers.toReversed() }) }),
    /sha256:/,
  ],
  'link out of the archive': [tarOf({ ...good, evil: { link: '/etc/shadow' } }), /leads out/],
  'links in a circle': [
    tarOf({ ...good, a: { link: 'b' }, b: { link: 'a' }, 'manifest.json': entry({ Config: 'a' }) }),
    /chain of links/,
  ],
  'manifest too large': [tarOf({ 'manifest.json': big }), /larger than/],
  'config too large': [tarOf({ ...good, big, 'manifest.json': entry({ Config: 'big' }) }), /larger than/],
  'no JSON': [tarOf({ ...good, 'manifest.json': '{' }), /manifest.json/],
  'wrong shape': [tarOf({ ...good, 'manifest.json': '[{"Config":1}]' }), /Config/],
  'tag without tag': [tarOf({ ...good, 'manifest.json': entry({ RepoTags: ['x'] }) }), /invalid tag "x"/],
  'reserved name': [tarOf({ ...good, 'manifest.json': entry({ RepoTags: ['builtin/x:1'] }) }), /reserved/],
  'other system': [
    tarOf(dockerArchive([{ image: imageOf([], { os: 'windows' }), tags: [] }])),
    /cannot load windows image/,
  ],
  'cut off': [tarOf(good).subarray(0, 3000), /unexpected EOF|missing|neither/],
  'blob that is not its digest': [tarOf({ ...oci, [someBlob]: 'other' }), /has digest/],
  'manifest and index at once': [
    tarOf({ ...oci, 'index.json': JSON.stringify({ ...JSON.parse(String(oci['index.json'])), layers: [] }) }),
    /both a manifest and an index/,
  ],
  'an index of too much': [tarOf(nested(oci, 600, 2)), /too many manifests/],
  'many indexes of much': [
    tarOf(
      manyIndexes(
        oci,
        Array.from({ length: 20 }, (_, at) => 600 + at),
      ),
    ),
    /its indexes name too many manifests/,
  ],
  'another platform only': [
    tarOf({ ...ociArchive(image, 'x:1', true), [someBlob]: 'x', 'index.json': '{"schemaVersion":1,"manifests":[]}' }),
    /schema version 2/,
  ],
};

for (const [what, [archive, message]] of Object.entries(hostile)) {
  test(`refused, and nothing is left: ${what}`, { skip }, async () => {
    await using fixture = await openImagesFixture();
    const before = await onDisk(fixture);
    await assert.rejects(fixture.load(archive), { kind: 'invalid', message });
    assert.equal(fixture.images.list({ all: true, filters: new Map() }).length, 0);
    await fixture.store.collect();
    assert.deepEqual(await onDisk(fixture), before);
  });
}
