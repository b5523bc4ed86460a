import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { codecOf } from '../../src/util/compression.ts';
import { digestOf } from '../../src/util/digest.ts';
import { archiveOf, type Member } from '../../src/util/tar/tar-fixture.ts';
import { importBusybox } from '../support/both.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { imageArchive } from '../support/image-archive.ts';
import { layerDirs } from '../support/layer-dirs.ts';
import { randomLayers } from '../support/random-layers.ts';
import { type RealRegistry, startRegistry } from '../support/registry.ts';
import { command } from '../support/target.ts';
import { assertSameTree, mergedTree, treeOf } from '../support/trees.ts';

// What Gantry writes is read by skopeo and umoci, what those write is read by Gantry: the same bytes, the same digests.

/** umoci takes a name apart where it has a line break. */
const inOneLine = (member: Member): Member => ({
  ...member,
  name: member.name.replaceAll('\n', '_'),
  linkName: (member.linkName ?? '').replaceAll('\n', '_'),
});
const LAYERS = randomLayers(7, 3).map((members) => archiveOf(members.map(inOneLine)));
const DIFF_IDS = LAYERS.map(digestOf);

const stack = new AsyncDisposableStack();
let dir = '';
let gantry: TestEngine;
let registry: RealRegistry;
/** Id of the image `made:1`. */
let id = '';

interface Manifest {
  mediaType?: string;
  config: { digest: string };
  layers: { digest: string; mediaType: string }[];
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-exchange-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  gantry = stack.use(await startGantry());
  registry = stack.use(await startRegistry());
  await writeFile(join(dir, 'made.tar'), imageArchive('made:1', LAYERS));
  await docker('load', '-i', join(dir, 'made.tar'));
  await docker('save', '-o', join(dir, 'saved.tar'), 'made:1');
  id = await idOf('made:1');
});
after(() => stack.disposeAsync());

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, { timeout: 120_000 });
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const docker = (...args: string[]): Promise<string> => run('docker', '-H', `unix://${gantry.socket}`, ...args);
const idOf = async (name: string): Promise<string> => (await docker('inspect', '-f', '{{.Id}}', name)).trim();

const skopeo = (...args: string[]): Promise<string> => run('skopeo', '--insecure-policy', '--tmpdir', dir, ...args);
const copy = (...args: string[]): Promise<string> =>
  skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...args);

/** A directory of skopeo's own: every blob is a file named as its digest. Asserts that each is what its name says. */
async function blobsOf(source: string): Promise<{ manifest: Manifest; bytes: Buffer; blobs: Map<string, Buffer> }> {
  const path = await mkdtemp(join(dir, 'dir-'));
  await copy(source, `dir:${path}`);
  const bytes = await readFile(join(path, 'manifest.json'));
  const blobs = new Map<string, Buffer>();
  for (const name of (await readdir(path)).filter((file) => /^[0-9a-f]{64}$/.test(file))) {
    const blob = await readFile(join(path, name));
    assert.equal(digestOf(blob), `sha256:${name}`);
    blobs.set(`sha256:${name}`, blob);
  }
  return { manifest: JSON.parse(bytes.toString()) as Manifest, bytes, blobs };
}

/** Asserts that a manifest and its blobs are the image `made:1`, compressed or not. */
function assertMade({ manifest, blobs }: { manifest: Manifest; blobs: ReadonlyMap<string, Buffer> }): void {
  assert.equal(manifest.config.digest, id);
  // By what they are: skopeo calls what it finds in a docker-archive compressed in any case.
  const plain = manifest.layers.map(({ digest }) => {
    const blob = blobs.get(digest) ?? Buffer.alloc(0);
    return codecOf(blob) === 'gzip' ? gunzipSync(blob) : blob;
  });
  assert.deepEqual(plain.map(digestOf), DIFF_IDS);
}

/** Loads an archive and asserts that it is the image `made:1`, its trees included. */
async function loadMade(archive: string): Promise<void> {
  const expected = await mergedTree(await layerDirs(gantry, 'made:1'));
  await docker('rmi', '-f', id);
  const [, loaded = ''] = /^Loaded image(?: ID)?: (.*)$/m.exec(await docker('load', '-i', archive)) ?? [];
  assert.equal(await idOf(loaded), id);
  if (loaded !== 'made:1') await docker('tag', loaded, 'made:1');
  assertSameTree(await mergedTree(await layerDirs(gantry, 'made:1')), expected, archive);
}

/** The one manifest of an OCI layout, or of the archive of one, with its digest. */
async function layoutManifest(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  assert.equal(index.manifests.length, 1);
  return index.manifests[0]?.digest ?? '';
}

for (const kind of ['docker-archive', 'oci-archive']) {
  test(`skopeo reads what is saved as ${kind}`, async () => {
    const found = await blobsOf(`${kind}:${join(dir, 'saved.tar')}`);
    assert.deepEqual(
      found.manifest.layers.map(({ digest }) => digest),
      DIFF_IDS,
    );
    assertMade(found);
    const inspected = JSON.parse(await skopeo('inspect', `${kind}:${join(dir, 'saved.tar')}`)) as { Layers: string[] };
    assert.deepEqual(inspected.Layers, DIFF_IDS);
  });
}

test('skopeo reads what is pushed, under the digest that push tells', async () => {
  const name = `${registry.host}/made:1`;
  await docker('tag', 'made:1', name);
  const [, digest = ''] = /digest: (sha256:\w+)/.exec(await docker('push', name)) ?? [];
  const found = await blobsOf(`docker://${name}`);
  assert.equal(digestOf(found.bytes), digest);
  assertMade(found);
  await docker('rmi', name);
});

test('skopeo and umoci read what is committed, as the container had it', async () => {
  await importBusybox(gantry);
  const script =
    'rm /etc/group; rm -r /home; mkdir /home; ln /etc/passwd /home/link; chmod 4751 /etc/passwd; mkfifo /tmp/p';
  await docker('run', '--name', 'changed', '--network', 'none', 'busybox', 'sh', '-c', script);
  await docker('commit', 'changed', 'committed:1');
  await docker('save', '-o', join(dir, 'committed.tar'), 'committed:1');
  const found = await blobsOf(`docker-archive:${join(dir, 'committed.tar')}`);
  assert.equal(found.manifest.config.digest, await idOf('committed:1'));
  await copy(`docker-archive:${join(dir, 'committed.tar')}`, `oci:${join(dir, 'committed')}:1`);
  await run('umoci', 'unpack', '--image', `${join(dir, 'committed')}:1`, join(dir, 'bundle'));
  const there = await treeOf(join(dir, 'bundle', 'rootfs'));
  assertSameTree(await mergedTree(await layerDirs(gantry, 'committed:1')), there, 'what umoci unpacks');
  assert.deepEqual(
    Object.keys(there).filter((path) => /^\.\/(?:home|etc|tmp)\/./.test(path)),
    ['./etc/passwd', './home/link', './tmp/p'],
  );
  await docker('rm', 'changed');
});

for (const kind of ['docker-archive', 'oci-archive']) {
  test(`what skopeo writes as ${kind} is loaded`, async () => {
    const archive = join(dir, `by-skopeo-${kind}.tar`);
    await copy(`docker-archive:${join(dir, 'saved.tar')}`, `${kind}:${archive}:made:1`);
    await loadMade(archive);
  });
}

for (const format of ['gzip', 'zstd']) {
  test(`a layout that skopeo compressed with ${format} is loaded, and saved as it came`, async () => {
    const layout = join(dir, `layout-${format}`);
    await copy('--dest-compress-format', format, `docker-archive:${join(dir, 'saved.tar')}`, `oci:${layout}:x`);
    await run('tar', '-C', layout, '-cf', `${layout}.tar`, '.');
    await loadMade(`${layout}.tar`);
    await docker('save', '-o', `${layout}-again.tar`, 'made:1');
    const again = await blobsOf(`oci-archive:${layout}-again.tar`);
    assert.equal(digestOf(again.bytes), await layoutManifest(layout));
    for (const { digest, mediaType } of again.manifest.layers) assert.ok(mediaType.endsWith(`+${format}`), digest);
  });
}

const pushed: Record<string, string[]> = {
  'an OCI manifest': ['--format', 'oci'],
  "Docker's schema 2": ['--format', 'v2s2'],
  'zstd layers': ['--format', 'oci', '--dest-compress-format', 'zstd'],
};
for (const [index, [what, options]] of Object.entries(pushed).entries()) {
  test(`what skopeo pushed is pulled: ${what}`, async () => {
    const name = `${registry.host}/by-skopeo:${index}`;
    await copy(...options, `docker-archive:${join(dir, 'saved.tar')}`, `docker://${name}`);
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
    const expected = await mergedTree(await layerDirs(gantry, 'made:1'));
    await docker('rmi', '-f', id);
    assert.match(await docker('pull', name), new RegExp(`^Digest: ${digestOf(Buffer.from(raw))}$`, 'm'));
    assert.equal(await idOf(name), id);
    await docker('tag', name, 'made:1');
    assertSameTree(await mergedTree(await layerDirs(gantry, 'made:1')), expected, what);
  });
}

test('layers of several gzip members, as parallel compressors write them, are loaded and pulled', async () => {
  const layers = LAYERS.map((layer) =>
    Buffer.concat([gzipSync(layer.subarray(0, 1000)), gzipSync(Buffer.alloc(0)), gzipSync(layer.subarray(1000))]),
  );
  const archive = join(dir, 'members.tar');
  await writeFile(archive, imageArchive('made:1', layers, DIFF_IDS));
  await loadMade(archive);
  const name = `${registry.host}/members:1`;
  await docker('tag', 'made:1', name);
  await docker('push', name);
  const found = await blobsOf(`docker://${name}`);
  assert.deepEqual(
    found.manifest.layers.map(({ digest }) => digest),
    layers.map(digestOf),
  );
  await docker('rmi', '-f', id);
  await docker('pull', name);
  assert.equal(await idOf(name), id);
  await docker('tag', name, 'made:1');
});

test('a layer that umoci made of changes is unpacked as umoci unpacks it', async () => {
  const layout = join(dir, 'by-umoci');
  const bundle = join(dir, 'umoci-bundle');
  await copy(`docker-archive:${join(dir, 'saved.tar')}`, `oci:${layout}:1`);
  await run('umoci', 'unpack', '--image', `${layout}:1`, bundle);
  // At the top only: umoci does not list the directories it hides something in, and says nothing of what they look like.
  const change =
    'ls -A | sort | head -n 3 | tr "\\n" "\\0" | xargs -0 rm -rf --; mkdir -m 2750 fresh; echo x >fresh/y; ln fresh/y z';
  const had = Object.keys(await treeOf(join(bundle, 'rootfs')));
  await run('sh', '-c', `cd "$0" && ${change}`, join(bundle, 'rootfs'));
  await run('umoci', 'repack', '--image', `${layout}:2`, bundle);
  const only = join(dir, 'only');
  await copy(`oci:${layout}:2`, `oci-archive:${only}.tar:changed:2`);
  await docker('load', '-i', `${only}.tar`);
  await mkdir(only);
  await run('umoci', 'unpack', '--image', `${layout}:2`, join(only, 'again'));
  const there = await treeOf(join(only, 'again', 'rootfs'));
  assertSameTree(await mergedTree(await layerDirs(gantry, 'changed:2')), there, 'what umoci unpacks');
  assert.ok('./fresh/y' in there);
  assert.ok(had.filter((path) => !(path in there)).length >= 3, 'something was removed');
});
