import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { archiveOf, type Member } from '../../src/util/tar/tar-fixture.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { gnuArchiveOf } from '../support/gnu-archive.ts';
import { imageArchive } from '../support/image-archive.ts';
import { layerDirs } from '../support/layer-dirs.ts';
import { randomLayers } from '../support/random-layers.ts';
import { command, type Target } from '../support/target.ts';
import { assertSameTree, mergedTree, type Tree, treeOf } from '../support/trees.ts';

// The same layers, unpacked by Gantry, by dockerd, by umoci and by GNU tar: every file, byte and attribute.

/** For how long images are made up, and from which seed; `LAYER_SEED` repeats a run. */
const MILLISECONDS = 6_000;
const SEED = Number(process.env['LAYER_SEED'] ?? randomInt(1_000_000));
const debianRoot = join(import.meta.dirname, '..', '..', 'scripts', 'debian-root');

const stack = new AsyncDisposableStack();
let dir = '';
let gantry: TestEngine;
let dockerd: Target & { root: string };

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-trees-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  gantry = stack.use(await startGantry());
  dockerd = stack.use(await startDockerd());
});
after(() => stack.disposeAsync());

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, { timeout: 120_000 });
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stderr}`);
  return stdout;
}

async function docker(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args, { timeout: 120_000 });
  assert.equal(code, 0, `docker ${args.join(' ')} on ${target.name}\n${stderr}`);
  return stdout;
}

/** Where dockerd keeps the unpacked layers of an image, lowest first. */
async function dockerdLayers(name: string): Promise<string[]> {
  const found = await docker(dockerd, 'inspect', '-f', '{{json .GraphDriver}}', name);
  const { Name, Data } = JSON.parse(found) as { Name: string; Data: { UpperDir: string; LowerDir?: string } };
  assert.equal(Name, 'overlay2');
  return [Data.UpperDir, ...(Data.LowerDir?.split(':') ?? [])].toReversed();
}

/** What umoci makes of an image that Gantry saved, which is an OCI layout. */
async function umociTree(name: string): Promise<Tree> {
  const saved = join(dir, 'saved.tar');
  const layout = join(dir, 'layout');
  const bundle = join(dir, 'bundle');
  await docker(gantry, 'save', '-o', saved, name);
  await mkdir(layout);
  await run('tar', '-C', layout, '-xf', saved);
  await run('umoci', 'unpack', '--image', `${layout}:${name.split(':')[1]}`, bundle);
  const tree = await treeOf(join(bundle, 'rootfs'));
  await Promise.all([layout, bundle, saved].map((path) => rm(path, { recursive: true })));
  return tree;
}

/** Loads an image into both engines, and compares each layer. */
async function load(archive: string, name: string): Promise<string[]> {
  for (const target of [gantry, dockerd]) await docker(target, 'load', '-i', archive);
  const [ours, theirs] = [await layerDirs(gantry, name), await dockerdLayers(name)];
  assert.equal(ours.length, theirs.length);
  for (const [at, layer] of ours.entries()) {
    assertSameTree(await treeOf(layer), await treeOf(theirs[at] ?? ''), `layer ${at} of ${name} and dockerd's`);
  }
  return ours;
}

async function compareAll(name: string, layers: readonly Buffer[]): Promise<void> {
  const archive = join(dir, 'image.tar');
  await writeFile(archive, imageArchive(name, layers));
  const ours = await load(archive, name);
  assertSameTree(await mergedTree(ours), await umociTree(name), `${name} and umoci's`);
  for (const target of [gantry, dockerd]) await docker(target, 'rmi', name);
}

async function compareWithTar(name: string, layer: Buffer): Promise<void> {
  const { code, stderr } = await gantry.docker(['load'], { input: imageArchive(name, [layer]) });
  assert.equal(code, 0, stderr);
  const [ours = ''] = await layerDirs(gantry, name);
  assertSameTree(await treeOf(ours), await gnuTree(layer), `${name} and GNU tar's`);
  await docker(gantry, 'rmi', name);
}

/** The stored runs of a file as all of it. */
function withoutHoles(member: Member): Member {
  return Object.fromEntries(Object.entries(member).filter(([key]) => key !== 'sparse')) as Member;
}

/** What GNU tar makes of one archive. */
async function gnuTree(archive: Buffer): Promise<Tree> {
  const made = join(dir, 'by-tar');
  await mkdir(made);
  const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-p', '--delay-directory-restore'];
  const { code, stderr } = await command('tar', ['-C', made, '-x', ...options, '-f', '-'], { input: archive });
  assert.equal(code, 0, stderr);
  const tree = await treeOf(made);
  await rm(made, { recursive: true });
  return tree;
}

test(`layers made up at random, from seed ${SEED} on`, { timeout: 120_000 }, async () => {
  const deadline = Date.now() + MILLISECONDS;
  for (let seed = SEED; Date.now() < deadline; seed++) {
    const layers = randomLayers(seed, 3);
    await compareAll(`pax:${seed}`, layers.map(archiveOf));
    // dockerd knows no holes in the headers of GNU tar.
    const whole = layers.map((members) => members.map(withoutHoles));
    await compareAll(`gnu:${seed}`, whole.map(gnuArchiveOf));
    await compareWithTar(`tar:${seed}`, gnuArchiveOf(layers[0] ?? []));
  }
});

test('a real Debian', { timeout: 400_000 }, async () => {
  const layer = await readFile((await run(debianRoot)).trim());
  await compareAll('debian:compared', [layer]);
  await compareWithTar('debian:compared', layer);
});
