import assert from 'node:assert/strict';
import { existsSync, unlinkSync } from 'node:fs';
import {
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { type AddedImage, startTestRegistry, type TestRegistry } from '../../remote/registry-fixture.ts';
import { localRemote } from '../../remote/remote-fixture.ts';
import { hexOf } from '../../util/digest.ts';
import type { CheckResult } from './check-images.ts';
import { dockerArchive, type ImagesFixture, imageOf, openImagesFixture, tarOf } from './images-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'unpacking layers needs root';
const { signal } = new AbortController();

interface Pulled extends AsyncDisposable {
  readonly fixture: ImagesFixture;
  readonly registry: TestRegistry;
  readonly name: string;
  readonly image: AddedImage;
}

async function pulled(): Promise<Pulled> {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startTestRegistry());
  const fixture = stack.use(await openImagesFixture());
  const image = registry.addImage('app', '1', [tarOf({ one: '1' }), tarOf({ two: '2' })]);
  const name = `${registry.host}/app:1`;
  await Array.fromAsync(fixture.images.pull({ image: name, tag: '', signal }));
  return { fixture, registry, name, image, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function check({ images }: ImagesFixture, repair = false): Promise<{ lines: string[]; result: CheckResult }> {
  const all = await Array.fromAsync(images.check({ repair, signal }));
  const lines = all.flatMap(({ status }) => status ?? []);
  return { lines, result: all.at(-1)?.aux as CheckResult };
}

const blobPath = ({ store }: ImagesFixture, digest: string): string => join(store.dirs.content, hexOf(digest));

/** The directory of the topmost layer. */
const topLayer = ({ store, images }: ImagesFixture, name: string): string =>
  join(store.dirs.layers, hexOf(images.get(name).chainIds.at(-1) ?? ''), 'fs');

const halfUnpacked = async ({ store }: ImagesFixture): Promise<string[]> =>
  (await readdir(store.dirs.layers)).filter((name) => name.endsWith('.tmp'));

/** A signal that is aborted when `now`, told how often it was asked, says so. */
function watchedSignal(now: (asked: number) => boolean): AbortSignal {
  const controller = new AbortController();
  const throwIfAborted = controller.signal.throwIfAborted.bind(controller.signal);
  let asked = 0;
  return Object.assign(controller.signal, {
    throwIfAborted: () => {
      if (now(++asked)) controller.abort();
      throwIfAborted();
    },
  });
}

/** Damages what is stored, sees it found, repaired, and gone. */
async function heals(fixture: ImagesFixture, expected: RegExp): Promise<void> {
  const { lines, result } = await check(fixture);
  assert.match(lines.join('\n'), expected);
  assert.ok(result.damaged > 0 && result.repaired === 0);
  const repaired = await check(fixture, true);
  assert.equal(repaired.result.repaired, repaired.result.damaged, repaired.lines.join('\n'));
  const after = await check(fixture);
  assert.deepEqual([after.lines, after.result.damaged], [[], 0]);
}

describe('a check', { skip }, () => {
  test('of what is whole finds nothing', async () => {
    await using all = await pulled();
    await all.fixture.load(tarOf(dockerArchive([{ image: imageOf([{ a: 'b' }]), tags: ['x:1'] }])));
    const { lines, result } = await check(all.fixture);
    assert.deepEqual(lines, []);
    assert.deepEqual([result.images, result.layers, result.damaged], [2, 3, 0]);
    assert.ok(result.blobs >= 6);
  });

  for (const [what, damage, how] of [
    ['changed', (path: string) => readFile(path).then((bytes) => writeFile(path, bytes.fill(1))), /its bytes have the/],
    ['cut off', (path: string) => truncate(path, 3), /it has 3 bytes, not \d+/],
    ['lost', (path: string) => unlink(path), /it is missing/],
  ] as const) {
    test(`finds a blob that was ${what}, and fetches it again`, async () => {
      await using all = await pulled();
      const { fixture, image } = all;
      for (const digest of [image.layers[0] ?? '', image.id, image.digest]) {
        await damage(blobPath(fixture, digest));
        await heals(fixture, new RegExp(`^blob ${digest}: ${how.source}`));
      }
    });
  }

  test('passes over a mirror that has a blob wrong', async () => {
    await using dir = await mkdtempDisposable(join(tmpdir(), 'gantry-certs-'));
    await using mirror = await startTestRegistry();
    await using registry = await startTestRegistry();
    await mkdir(join(dir.path, 'registry.test'));
    const hosts = `server = "http://${registry.host}"\n[host."http://${mirror.host}"]\n`;
    await writeFile(join(dir.path, 'registry.test/hosts.toml'), hosts);
    await using fixture = await openImagesFixture(localRemote([dir.path]));
    const { layers } = registry.addImage('app', '1', [tarOf({ one: '1' })]);
    await Array.fromAsync(fixture.images.pull({ image: 'registry.test/app:1', tag: '', signal }));
    const [digest = ''] = layers;
    mirror.blobs.set(digest, Buffer.alloc(registry.blobs.get(digest)?.length ?? 0));
    await truncate(blobPath(fixture, digest), 3);
    await heals(fixture, /^blob /);
  });

  test('finds files that a layer lost or has otherwise, and unpacks it again', async () => {
    await using all = await pulled();
    const { fixture, name } = all;
    await unlink(join(topLayer(fixture, name), 'two'));
    await heals(fixture, /^layer sha256:\w+: .*two.*No such file/);
    await writeFile(join(topLayer(fixture, name), 'two'), 'X');
    await heals(fixture, /^layer sha256:\w+: /);
    await rm(topLayer(fixture, name), { recursive: true });
    await heals(fixture, /^layer sha256:\w+: its files are missing/);
    assert.equal(await readFile(join(topLayer(fixture, name), 'two'), 'utf8'), '2');
  });

  test('does not take a layer away from a running container', async () => {
    await using all = await pulled();
    const { fixture, name, image } = all;
    await unlink(join(topLayer(fixture, name), 'two'));
    fixture.users.set(image.id, { running: ['c'.repeat(64)], stopped: [] });
    const { lines, result } = await check(fixture, true);
    assert.match(lines.at(-1) ?? '', /^cannot repair layer .*: running container cccccccccccc stands on it/);
    assert.deepEqual([result.damaged, result.repaired], [1, 0]);
  });

  test('does not take a layer away from a container that is started while it is unpacked', async () => {
    await using all = await pulled();
    const { fixture, name } = all;
    const lower = fixture.images.lowerDirs(fixture.images.get(name))[0];
    const top = topLayer(fixture, name);
    await unlink(join(top, 'two'));
    const { ino } = await stat(top);
    let asked = 0;
    fixture.standingOn = (dir) => (dir === lower && asked++ > 0 ? ['c'.repeat(64)] : []);
    const { lines } = await check(fixture, true);
    assert.match(lines.at(-1) ?? '', /^cannot repair layer .*: running container cccccccccccc stands on it/);
    assert.deepEqual([(await stat(top)).ino, asked], [ino, 2]);
    assert.deepEqual(await halfUnpacked(fixture), []);
  });

  test('that is cancelled leaves nothing of what it unpacks, wherever it is', async () => {
    await using all = await pulled();
    const { fixture, name } = all;
    await unlink(join(topLayer(fixture, name), 'two'));
    let cancelled = true;
    for (let step = 1; cancelled; step++) {
      assert.ok(step < 1000);
      const watched = watchedSignal((asked) => asked === step);
      const run = Array.fromAsync(fixture.store.check.run(watched));
      cancelled = await run.then(
        () => false,
        () => true,
      );
      assert.deepEqual(await halfUnpacked(fixture), [], `cancelled at step ${step}`);
    }
  });

  test('goes on when a layer is removed meanwhile', async () => {
    await using all = await pulled();
    const { fixture, image } = all;
    const { store } = fixture;
    await rm(topLayer(fixture, all.name), { recursive: true });
    const lost = image.layers[0] ?? '';
    // Between the blobs and the first layer.
    const blobs = store.check.counts().blobs;
    const watched = watchedSignal((asked) => {
      if (asked === blobs + 1) {
        unlinkSync(join(store.dirs.content, hexOf(lost)));
        store.db.sql.exec('PRAGMA foreign_keys = OFF; DELETE FROM layers WHERE parent IS NULL');
      }
      return false;
    });
    const found = await Array.fromAsync(store.check.run(watched));
    assert.deepEqual(
      found.map(({ what, how }) => [what, how]),
      [['layer', 'its files are missing']],
    );
  });

  test('puts nothing back that was removed meanwhile', async () => {
    await using all = await pulled();
    const { fixture, name, image } = all;
    const { store } = fixture;
    const [blob = '', chainId = ''] = [image.layers[1], fixture.images.get(name).chainIds[1]];
    const bytes = await readFile(blobPath(fixture, blob));
    const forget = (): void =>
      store.db.sql.exec('PRAGMA foreign_keys = OFF; DELETE FROM layers WHERE parent IS NOT NULL; DELETE FROM blobs');
    await store.check.rebuildLayer(
      chainId,
      () => {},
      watchedSignal((asked) => {
        if (asked === 1) forget();
        return false;
      }),
    );
    const source = (function* () {
      yield bytes;
      unlinkSync(blobPath(fixture, blob));
    })();
    await store.check.replaceBlob(blob, source, signal);
    assert.ok(!existsSync(blobPath(fixture, blob)));
    assert.deepEqual([await halfUnpacked(fixture), await readdir(store.dirs.ingest)], [[], []]);
  });

  test('puts right a short name, and takes away what belongs to nothing', async () => {
    await using all = await pulled();
    const { fixture, name } = all;
    const [link = ''] = fixture.images.lowerDirs(fixture.images.get(name));
    await rename(link, `${link}-elsewhere`);
    const stray = join(fixture.store.dirs.content, 'a'.repeat(64));
    await writeFile(stray, 'stray');
    await heals(fixture, /it belongs to nothing[^]*link .*: its short name leads elsewhere/);
    assert.ok(existsSync(link) && !existsSync(stray));
  });

  test('brings an image back whose rows were lost, and the engine starts without them', async () => {
    await using all = await pulled();
    const { fixture, name, image } = all;
    await fixture.close();
    const db = new DatabaseSync(join(fixture.dataRoot, 'meta.db'));
    db.exec('PRAGMA foreign_keys = OFF; DELETE FROM layers WHERE parent IS NOT NULL');
    db.close();
    await fixture.reopen();
    assert.throws(() => fixture.images.get(name), { kind: 'not-found' });
    await heals(fixture, /^image sha256:\w+: it cannot be read/);
    assert.equal(fixture.images.get(name).id, image.id);
    assert.equal(await readFile(join(topLayer(fixture, name), 'two'), 'utf8'), '2');
  });

  test('does not bring back what was removed by force', async () => {
    await using all = await pulled();
    const { fixture, name, image } = all;
    fixture.users.set(image.id, { running: [], stopped: ['c'.repeat(64)] });
    await fixture.images.remove(name, { force: true, noprune: false });
    await fixture.close();
    const path = blobPath(fixture, image.id);
    const config = await readFile(path);
    await truncate(path, 3);
    await fixture.reopen();
    await writeFile(path, config);
    const { lines } = await check(fixture, true);
    assert.deepEqual(lines, [`image ${image.id}: it cannot be read`, `repaired image ${image.id}`]);
    assert.deepEqual(fixture.images.list({ all: true, filters: new Map() }), []);
    assert.equal(fixture.images.ofContainer(image.id).id, image.id);
    fixture.users.clear();
    await fixture.images.releaseUnused();
    assert.equal(fixture.store.images.find(image.id), undefined);
  });

  test('says what nobody has', async () => {
    await using fixture = await openImagesFixture();
    const image = imageOf([{ a: 'b' }]);
    await fixture.load(tarOf(dockerArchive([{ image, tags: ['x:1'] }])));
    const { manifest } = fixture.store.images.find(image.id) ?? {};
    await truncate(blobPath(fixture, manifest ?? ''), 1);
    await heals(fixture, /^blob /);
    await truncate(blobPath(fixture, image.config === undefined ? '' : image.id), 1);
    const { lines, result } = await check(fixture, true);
    assert.equal(lines.at(-1), `cannot repair blob ${image.id}: no registry is known to have it`);
    assert.deepEqual([result.damaged, result.repaired], [1, 0]);
  });
});
