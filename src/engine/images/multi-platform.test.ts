import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { type AddedImage, startTestRegistry, type TestRegistry } from '../../remote/registry-fixture.ts';
import type { Platform } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { digestOf } from '../../util/digest.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';
import type { Progress } from '../engine.ts';
import { type ImagesFixture, imageOf, ociArchive, openImagesFixture, tarOf } from './images-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'unpacking layers needs root';
const { signal } = new AbortController();
const AMD: Platform = { os: 'linux', architecture: 'amd64' };
const ARM: Platform = { os: 'linux', architecture: 'arm64' };
const ALL = { all: true, filters: new Map<string, string[]>() };
const KEPT = { force: false, noprune: false };

interface Multi {
  readonly name: string;
  readonly digest: string;
  readonly amd: AddedImage;
  readonly arm: AddedImage;
}

/** A tag `multi:all` for two platforms, with an attestation that nobody has. */
function addMulti(registry: TestRegistry, salt = ''): Multi {
  const amd = registry.addImage('multi', 'amd', [tarOf({ arch: `amd64${salt}` })]);
  const arm = registry.addImage('multi', 'arm', [tarOf({ arch: `arm64${salt}` })], { ...ARM });
  const digest = registry.addIndex('multi', 'all', [
    { image: amd, platform: AMD },
    { image: arm, platform: ARM },
  ]);
  return { name: `${registry.host}/multi:all`, digest, amd, arm };
}

async function pull({ images }: ImagesFixture, image: string, platform: Platform): Promise<void> {
  await Array.fromAsync(images.pull({ image, tag: '', platform, signal }));
}

const push = ({ images }: ImagesFixture, image: string, platform?: Platform): Promise<Progress[]> =>
  Array.fromAsync(images.push({ image, tag: '', ...(platform ? { platform } : {}), signal }));

const shown = ({ images }: ImagesFixture, all = false): string[] => images.list({ ...ALL, all }).map(({ id }) => id);

async function membersOf(archive: Readable): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const reader = new TarReader(archive);
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    members.set(entry.name, await buffer(reader.body()));
  }
  await reader.close();
  return members;
}

/** Lets the test registry take what is pushed. */
function acceptPushes(registry: TestRegistry): Map<string, Buffer> {
  const put = new Map<string, Buffer>();
  registry.before = async (req, res) => {
    if (req.method === 'HEAD' && req.url?.includes('/blobs/')) {
      res.writeHead(put.has(req.url.split('/').at(-1) ?? '') ? 200 : 404).end();
    } else if (req.method === 'POST') res.writeHead(202, { location: `/v2/up/blobs/uploads/1` }).end();
    else if (req.method === 'PUT') {
      const url = new URL(req.url ?? '', 'http://registry');
      put.set(url.searchParams.get('digest') ?? url.pathname.split('/').at(-1) ?? '', await buffer(req));
      res.writeHead(201).end();
    } else return false;
    return true;
  };
  return put;
}

describe('an image for several platforms', { skip }, () => {
  test('keeps what of its index was pulled under one name', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, amd, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    await pull(fixture, name, AMD);
    await fixture.reopen();
    const { images } = fixture;
    assert.equal(images.get(name).id, amd.id);
    assert.equal(images.get(name).target?.digest, digest);
    assert.equal(images.get(name, ARM).id, arm.id);
    assert.deepEqual(images.get(name, ARM).repoTags, [name]);
    assert.deepEqual(shown(fixture), [amd.id]);
    assert.deepEqual(shown(fixture, true).toSorted(), [amd.id, arm.id].toSorted());
    assert.deepEqual(images.list({ all: false, filters: new Map([['dangling', ['true']]]) }), []);
    assert.throws(() => images.get(name, { os: 'linux', architecture: 's390x' }), {
      kind: 'not-found',
      message: `image with reference ${name} was found but does not provide the specified platform (linux/s390x)`,
    });
    const manifests = await images.manifests(images.get(name));
    assert.deepEqual(
      manifests.map(({ kind, available, descriptor }) => [kind, available, descriptor.digest]),
      [
        ['image', true, amd.digest],
        ['image', true, arm.digest],
      ],
    );
  });

  test('tells what of it is not here', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name } = addMulti(registry);
    await pull(fixture, name, AMD);
    const [here, missing] = await fixture.images.manifests(fixture.images.get(name));
    assert.ok(here?.kind === 'image' && here.available && here.content > 0 && here.unpacked > 0);
    assert.ok(missing?.kind === 'image' && !missing.available && missing.image === undefined);
    assert.deepEqual([missing.content, missing.unpacked, missing.platform.architecture], [0, 0, 'arm64']);
  });

  test('is removed as a whole, and a prune spares what its name leads to', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, amd, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    await pull(fixture, name, AMD);
    assert.deepEqual((await fixture.images.prune(new Map())).deleted, []);
    fixture.users.set(arm.id, { running: [], stopped: ['c'.repeat(64)] });
    await assert.rejects(fixture.images.remove(name, KEPT), { kind: 'conflict', message: /container cccccccccccc is/ });
    fixture.users.clear();
    const { deleted } = await fixture.images.remove(name, KEPT);
    assert.ok(deleted.includes(amd.id) && deleted.includes(arm.id));
    assert.deepEqual(shown(fixture, true), []);
    assert.deepEqual(fixture.store.indexes.all(), []);
    assert.equal(fixture.store.content.find(arm.digest), undefined);
  });

  test('loses one platform, and its name leads to the one that is left', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, amd, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    await pull(fixture, name, AMD);
    const { images } = fixture;
    const { deleted, untagged } = await images.remove(name, { ...KEPT, platforms: [AMD] });
    assert.deepEqual(untagged, []);
    assert.deepEqual(deleted.slice(0, 2), [amd.digest, amd.id]);
    assert.equal(images.get(name).id, arm.id);
    await assert.rejects(images.remove(name, { ...KEPT, platforms: [AMD] }), { kind: 'not-found' });
    fixture.users.set(arm.id, { running: ['c'.repeat(64)], stopped: [] });
    await assert.rejects(images.remove(name, { ...KEPT, platforms: [ARM] }), { kind: 'conflict' });
    fixture.users.clear();
    assert.ok((await images.remove(name, { ...KEPT, platforms: [ARM] })).untagged.includes(name));
    assert.deepEqual(shown(fixture, true), []);
  });

  test('loses a platform under one name only, and keeps it under others', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, amd, arm } = addMulti(registry);
    const [alone, second] = [`${registry.host}/multi:amd`, `${registry.host}/second:1`];
    const other = registry.addIndex('second', '1', [{ image: amd, platform: AMD }]);
    const { bytes = Buffer.alloc(0), type = '' } = registry.manifests.get('multi:amd') ?? {};
    registry.manifests.set(`second@${amd.digest}`, { bytes, type });
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    for (const more of [alone, second]) await pull(fixture, more, AMD);
    const { untagged, deleted } = await fixture.images.remove(name, { ...KEPT, platforms: [AMD] });
    assert.deepEqual([untagged, deleted], [[], []]);
    await fixture.reopen();
    const { images } = fixture;
    assert.deepEqual([images.get(name).id, images.get(name).target?.digest], [arm.id, digest]);
    assert.throws(() => images.get(name, AMD), { kind: 'not-found' });
    assert.deepEqual([images.get(alone).id, images.get(second, AMD).id], [amd.id, amd.id]);
    assert.deepEqual([images.get(alone).repoTags, images.get(second).target?.digest], [[alone, second], other]);
    await images.remove(alone, KEPT);
    await images.remove(second, KEPT);
    assert.deepEqual(shown(fixture, true), [arm.id]);
  });

  test('loses none of several platforms when one of them is in use', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, amd, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    fixture.users.set(arm.id, { running: ['c'.repeat(64)], stopped: [] });
    const { images } = fixture;
    await assert.rejects(images.remove(name, { ...KEPT, platforms: [AMD, ARM] }), {
      kind: 'conflict',
      message: /^failed to delete platform linux\/arm64 for image .*cannot be forced.* running container cccccccccccc$/,
    });
    assert.deepEqual([images.get(name).id, images.get(name, AMD).id], [amd.id, amd.id]);
    fixture.users.clear();
    await images.tag(name, 'kept', '1');
    assert.deepEqual((await images.remove(name, { ...KEPT, platforms: [AMD, ARM] })).untagged[0], name);
    assert.equal(images.get('kept:1').id, arm.id);
  });

  test('whose tag moves leaves its images to be pruned', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    await pull(fixture, name, AMD);
    await fixture.images.tag(name, 'kept', '1');
    const newer = addMulti(registry, ' again');
    await pull(fixture, newer.name, AMD);
    assert.equal(fixture.images.get('kept:1', ARM).id, arm.id);
    await fixture.images.remove('kept:1', KEPT);
    await fixture.images.remove(`${name.replace(':all', '')}@${digest}`, KEPT);
    assert.deepEqual(shown(fixture, true), [newer.amd.id]);
  });
});

describe('a push of an image for several platforms', { skip }, () => {
  test('sends the index and all of it when all is here', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, amd, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    const target = `${registry.host}/up:1`;
    await fixture.images.tag(name, target, '');
    const put = acceptPushes(registry);
    const lines = await push(fixture, target);
    assert.ok(lines.some(({ status }) => status?.startsWith(`1: digest: ${digest} size: `)));
    assert.ok([amd.digest, arm.digest, amd.id, arm.id, '1'].every((key) => put.has(key)));
    assert.ok(fixture.images.get(target).repoDigests.includes(`${registry.host}/up@${digest}`));
  });

  test('sends the one image that is here, and says so', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    const target = `${registry.host}/up:1`;
    await fixture.images.tag(name, target, '');
    const put = acceptPushes(registry);
    const lines = await push(fixture, target);
    const told = lines.flatMap(({ aux }) => (aux === undefined ? [] : [aux as Record<string, { digest: string }>]));
    const instead = told.find((aux) => 'manifestPushedInsteadOfIndex' in aux);
    assert.deepEqual([instead?.['originalIndex']?.digest, instead?.['selectedManifest']?.digest], [digest, arm.digest]);
    assert.ok(put.has('1') && !put.has(digest));
  });

  test('sends one platform when that is asked for', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    const put = acceptPushes(registry);
    const lines = await push(fixture, name, ARM);
    assert.ok(lines.some(({ status }) => status?.startsWith(`all: digest: ${arm.digest} size: `)));
    assert.ok(put.has('all'));
    assert.equal(fixture.images.get(`${name.replace(':all', '')}@${arm.digest}`).id, arm.id);
    await assert.rejects(push(fixture, name, { os: 'linux', architecture: 's390x' }), {
      kind: 'not-found',
      message: /does not provide the specified platform \(linux\/s390x\)/,
    });
  });
});

/** An archive of an index: an image for Windows whose only layer Microsoft alone hands on, and others. */
function windowsArchive(others: Record<string, string | Buffer>): {
  files: Record<string, string | Buffer>;
  index: string;
  windows: string;
  layer: string;
} {
  const files = { ...others };
  const put = (mediaType: string, document: object) => {
    const bytes = Buffer.from(JSON.stringify(document));
    files[`blobs/sha256/${digestOf(bytes).slice(7)}`] = bytes;
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const layer = digestOf('elsewhere');
  const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
  const system = { os: 'windows', architecture: 'amd64' };
  const rootfs = { type: 'layers', diff_ids: [layer] };
  const config = put(mediaTypes.ociConfig, { ...system, config: {}, rootfs });
  const layers = [{ mediaType: type, digest: layer, size: 9, urls: ['https://example.com/layer'] }];
  const windows = put(mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers });
  const { manifests } = JSON.parse(String(others['index.json'] ?? '{"manifests":[]}')) as { manifests: object[] };
  const all = [{ ...windows, platform: system }, ...manifests];
  const index = put(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: all });
  const annotations = { 'io.containerd.image.name': 'docker.io/library/x:1' };
  files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] });
  return { files, index: index.digest, windows: windows.digest, layer };
}

describe('an index with an image for Windows', { skip }, () => {
  test('loads what is for Linux, and is pushed as it was without layers that others do not hand on', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const image = imageOf([{ a: 'b' }]);
    const { files, index, windows, layer } = windowsArchive(ociArchive(image, undefined));
    assert.deepEqual(await fixture.load(tarOf(files)), [{ stream: 'Loaded image: x:1\n' }]);
    assert.equal(fixture.images.get('x:1').id, image.id);
    const target = `${registry.host}/up:1`;
    await fixture.images.tag('x:1', target, '');
    const put = acceptPushes(registry);
    const lines = await push(fixture, target);
    assert.ok(lines.some(({ status }) => status?.startsWith(`1: digest: ${index} size: `)));
    assert.deepEqual([put.has(windows), put.has(image.id), put.has(layer)], [true, true, false]);
  });

  test('loads what is for Linux also when all of the other is there, which is sent then', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const image = imageOf([{ a: 'b' }]);
    const { files, layer } = windowsArchive(ociArchive(image, undefined));
    await fixture.load(tarOf({ ...files, [`blobs/sha256/${layer.slice(7)}`]: 'elsewhere' }));
    await fixture.reopen();
    await fixture.store.collect();
    const target = `${registry.host}/up:1`;
    await fixture.images.tag('x:1', target, '');
    const put = acceptPushes(registry);
    await push(fixture, target);
    assert.equal(String(put.get(layer)), 'elsewhere');
  });

  test('alone is refused', async () => {
    await using fixture = await openImagesFixture();
    await assert.rejects(fixture.load(tarOf(windowsArchive({}).files)), {
      kind: 'invalid',
      message: 'cannot load windows image on linux',
    });
  });
});

describe('an archive of an image for several platforms', { skip }, () => {
  test('is whole, the same twice, and loads as it was', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, amd, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    const archive = await buffer(await fixture.images.save({ refs: [name], signal }));
    assert.ok(archive.equals(await buffer(await fixture.images.save({ refs: [name], signal }))));
    await using second = await openImagesFixture();
    assert.deepEqual(await second.load(archive), [{ stream: `Loaded image: ${name}\n` }]);
    await second.reopen();
    assert.deepEqual(
      [second.images.get(name).id, second.images.get(name, ARM).id, second.images.get(name).target?.digest],
      [amd.id, arm.id, digest],
    );
    assert.deepEqual(shown(second), [amd.id]);
    assert.ok(archive.equals(await buffer(await second.images.save({ refs: [name], signal }))));
  });

  test('of one platform holds that alone', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, digest, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    const members = await membersOf(await fixture.images.save({ refs: [name], platform: ARM, signal }));
    const { manifests } = JSON.parse(String(members.get('index.json'))) as { manifests: { digest: string }[] };
    assert.deepEqual(
      manifests.map((one) => one.digest),
      [arm.digest],
    );
    assert.ok(!members.has(`blobs/sha256/${digest.slice(7)}`));
    await assert.rejects(
      fixture.images.save({ refs: [name], platform: { os: 'linux', architecture: 's390x' }, signal }),
      { kind: 'not-found', message: /^no suitable export target found: image with reference / },
    );
  });

  test('loads one platform when that is asked for', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, arm } = addMulti(registry);
    for (const platform of [ARM, AMD]) await pull(fixture, name, platform);
    const archive = () => fixture.images.save({ refs: [name], signal });
    await using second = await openImagesFixture();
    const options = { quiet: true, signal };
    await Array.fromAsync(second.images.load(await archive(), { ...options, platform: ARM }));
    assert.deepEqual(shown(second, true), [arm.id]);
    const none = second.images.load(await archive(), { ...options, platform: { os: 'linux', architecture: 's390x' } });
    await assert.rejects(Array.fromAsync(none), {
      kind: 'not-found',
      message: 'requested platform (linux/s390x) not found',
    });
  });

  test('that holds it in part loads in part, and tells what is missing', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { name, arm } = addMulti(registry);
    await pull(fixture, name, ARM);
    await using second = await openImagesFixture();
    await second.load(await fixture.images.save({ refs: [name], signal }));
    assert.equal(second.images.get(name).id, arm.id);
    const manifests = await second.images.manifests(second.images.get(name));
    assert.deepEqual(
      manifests.map(({ available }) => available),
      [false, true],
    );
  });
});
