import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { digestOf } from '../util/digest.ts';
import { kindOf } from '../util/errors.ts';
import { openLog, silentLog } from '../util/log.ts';
import { run } from '../util/spawn.ts';
import { openDb } from './db.ts';
import { openStore, type Store } from './store.ts';
import { addImage, addLayers, layerArchive, openTemp, tempDir } from './store-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root: owners, devices, mounts';

const base = layerArchive([
  { name: 'etc/issue', data: 'base' },
  { name: 'bin/sh', data: '#!' },
]);
const middle = layerArchive([{ name: 'etc/.wh.issue' }, { name: 'usr/bin/tool', data: 'tool' }], true);
const top = layerArchive([{ name: 'top', data: 'top' }]);

/** Everything under the data root but the database, as paths. */
function files({ dirs }: Store): string[] {
  return [dirs.content, dirs.ingest, dirs.layers, dirs.links, dirs.tmp]
    .flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)))
    .sort();
}

test('an image is stored with its layers and found again by the next store', { skip }, async () => {
  const dataRoot = tempDir();
  const first = await openStore({ dataRoot, log: silentLog() });
  const id = await addImage(first, 'one', [base, middle, top]);
  const before = files(first);
  await first[Symbol.asyncDispose]();

  await using store = await openStore({ dataRoot, log: silentLog() });
  assert.deepEqual(files(store), before);
  const image = store.images.find(id);
  assert.ok(image?.chainId);
  const chain = store.layers.chain(image.chainId);
  assert.deepEqual(
    chain.map(({ diffId }) => diffId),
    [base.diffId, middle.diffId, top.diffId],
  );
  assert.equal(store.layers.chainSize(image.chainId), 'base#!tooltop'.length);
  const dirs = store.layers.lowerDirs(image.chainId);
  assert.deepEqual(
    dirs.map((dir) => readdirSync(dir)),
    [['top'], ['etc', 'usr'], ['bin', 'etc']],
  );
  assert.ok(
    dirs.every((dir) => dir.length <= join(dataRoot, 'l/0123456789').length),
    'links are to be short',
  );
  assert.equal(store.images.findTag('docker.io/library/x', 'one')?.image, id);
});

test('the layers make an overlay mount that shows what the image has', { skip }, async (t) => {
  await using store = await openTemp();
  const id = await addImage(store, 'mounted', [base, middle, top]);
  const lower = store.layers.lowerDirs(store.images.find(id)?.chainId ?? '').join(':');
  const target = join(store.dirs.tmp, 'merged');
  mkdirSync(target);
  await run('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower}`, target]);
  t.after(() => run('umount', [target], { allowFailure: true }));
  assert.deepEqual(readdirSync(join(target, 'etc')), []);
  assert.deepEqual(readdirSync(target).sort(), ['bin', 'etc', 'top', 'usr']);
  await run('umount', [target]);
});

test('an opaque layer hides all below it', { skip }, async () => {
  await using store = await openTemp();
  const opaque = layerArchive([{ name: '.wh..wh..opq' }, { name: 'only', data: '' }]);
  const id = await addImage(store, 'opaque', [base, opaque, top]);
  const dirs = store.layers.lowerDirs(store.images.find(id)?.chainId ?? '');
  assert.deepEqual(
    dirs.map((dir) => readdirSync(dir)),
    [['top'], ['only']],
  );
});

test('a layer comes back byte for byte, compressed or not', { skip }, async () => {
  await using store = await openTemp();
  await addImage(store, 'x', [base, middle]);
  for (const { diffId } of [base, middle]) {
    const layer = store.layers.findByDiffId(diffId);
    const bytes = await (await store.layers.asTar(layer?.chainId ?? '')).toArray();
    assert.equal(digestOf(Buffer.concat(bytes)), diffId);
  }
});

test('the same image twice, and twice at once, is stored once', { skip }, async () => {
  await using store = await openTemp();
  await addImage(store, 'a', [base, middle]);
  const before = files(store);
  await addImage(store, 'a', [base, middle]);
  await store.collect();
  assert.deepEqual(files(store), before);
  await Promise.all([1, 2, 3, 4].map(() => addImage(store, 'b', [base, middle, top])));
  await store.collect();
  assert.equal(store.db.sql.prepare('SELECT count(*) AS n FROM layers').get()?.['n'], 3);
  assert.equal(readdirSync(store.dirs.layers).length, 3);
  assert.equal(readdirSync(store.dirs.links).length, 3);
});

test('the same difference may stand twice in a chain', { skip }, async () => {
  await using store = await openTemp();
  const id = await addImage(store, 'twice', [base, top, base]);
  assert.equal(store.layers.chain(store.images.find(id)?.chainId ?? '').length, 3);
});

test('what is not committed goes with its lease', { skip }, async () => {
  await using store = await openTemp();
  {
    await using lease = store.lease();
    await addLayers(lease, [base, middle]);
    lease.prepare(base.digest);
    assert.ok(store.content.has(base.digest));
  }
  await store.collect();
  assert.deepEqual(files(store), []);
  assert.equal(store.content.has(base.digest), false);
});

test('a failing commit leaves nothing of the image', { skip }, async () => {
  await using store = await openTemp();
  {
    await using lease = store.lease();
    const layers = await addLayers(lease, [base]);
    const failing = lease.commit(() => {
      store.images.insert({ id: base.digest, chainId: layers[0]?.chainId, manifest: undefined, taggedAt: '' });
      throw new Error('no');
    });
    await assert.rejects(failing, /^Error: no$/);
  }
  await store.collect();
  assert.deepEqual([store.images.all(), files(store)], [[], []]);
});

test('one of two leases that make the same goes; the other keeps it', { skip }, async () => {
  await using store = await openTemp();
  await using stays = store.lease();
  {
    await using goes = store.lease();
    await Promise.all([addLayers(goes, [base, top]), addLayers(stays, [base, top])]);
  }
  const layers = await addLayers(stays, [base, top]);
  await stays.commit(() => {});
  assert.deepEqual(
    layers.map(({ chainId }) => store.layers.get(chainId).chainId),
    layers.map(({ chainId }) => chainId),
  );
  assert.deepEqual(readdirSync(store.layers.lowerDirs(layers[1]?.chainId ?? '')[0] ?? ''), ['top']);
});

test('a layer that is not what its image says is refused, and may be asked for again', { skip }, async () => {
  await using store = await openTemp();
  await using lease = store.lease();
  await lease.put(base.bytes, '');
  const wrong = lease.unpack([{ blob: base.digest, diffId: top.diffId }]);
  await assert.rejects(wrong, (error) => kindOf(error) === 'invalid' && /invalid diffID for layer/.test(String(error)));
  await lease.unpack([{ blob: base.digest, diffId: base.diffId }]);
  await lease.commit(() => {});
  assert.equal(readdirSync(store.dirs.layers).length, 1);
});

test('giving up ends the work', { skip }, async () => {
  await using store = await openTemp();
  const big = layerArchive([{ name: 'big', data: Buffer.alloc(50_000_000, 'x') }]);
  {
    await using lease = store.lease();
    await lease.put(big.bytes, '');
    const unpacking = lease.unpack([{ blob: big.digest, diffId: big.diffId }], AbortSignal.timeout(5));
    await assert.rejects(unpacking, { name: 'TimeoutError' });
  }
  await store.collect();
  assert.deepEqual(files(store), []);
});

test('blobs are checked while they come', async () => {
  await using store = await openTemp();
  await using lease = store.lease();
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('hel');
    yield Buffer.from('lo');
  }
  const digest = digestOf('hello');
  await assert.rejects(lease.ingest(source(), { digest: digestOf('x') }), /verification failed for digest/);
  await assert.rejects(lease.ingest(source(), { size: 4 }), /more than the 4 bytes/);
  await assert.rejects(lease.ingest(source(), { size: 6 }), /5 bytes where 6 were expected/);
  await assert.rejects(lease.ingest(source(), { limit: 4 }), /more than the 4 bytes/);
  await assert.rejects(lease.ingest(source(), { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  assert.deepEqual(readdirSync(store.dirs.ingest), []);
  assert.deepEqual(await lease.ingest(source(), { digest, size: 5, mediaType: 'text/x' }), {
    digest,
    size: 5,
    mediaType: 'text/x',
  });
  assert.equal(await text(store.content.open(digest)), 'hello');
  assert.equal((await store.content.readAll(digest, 5)).toString(), 'hello');
  await assert.rejects(store.content.readAll(digest, 4), /more than the 4 allowed/);
  assert.throws(
    () => store.content.path(digestOf('none')),
    (error) => kindOf(error) === 'not-found',
  );
});

test('the same blob may come from many at once', async () => {
  await using store = await openTemp();
  await using one = store.lease();
  await using two = store.lease();
  const bytes = Buffer.alloc(300_000, 'y');
  await Promise.all([one, two, one, two].map((lease) => lease.put(bytes, '')));
  await Promise.all([one.commit(() => {}), two.commit(() => {})]);
  assert.equal(readdirSync(store.dirs.content).length, 1);
  assert.ok(store.content.has(digestOf(bytes)));
});

test('collection takes what no image, lease or caller needs', { skip }, async () => {
  await using store = await openTemp();
  const one = await addImage(store, 'one', [base, middle]);
  const two = await addImage(store, 'two', [base, top]);
  assert.deepEqual(await store.collect(), { layers: [], blobs: [], bytes: 0 });

  const [, middleId] = store.layers.chain(store.images.find(one)?.chainId ?? '').map(({ chainId }) => chainId);
  store.images.remove(one);
  assert.equal(store.images.findTag('docker.io/library/x', 'one'), undefined);
  assert.deepEqual(await store.collect([middleId ?? '']).then(({ layers }) => layers), []);
  await using lease = store.lease();
  lease.hold(middleId ?? '');
  assert.deepEqual((await store.collect()).layers, []);
  await lease[Symbol.asyncDispose]();

  const collected = await store.collect();
  assert.deepEqual(collected.layers, [middleId]);
  assert.deepEqual(collected.blobs, [middle.digest]);
  assert.ok(collected.bytes >= middle.bytes.length);
  assert.ok(store.layers.findByDiffId(base.diffId), 'the other image still needs it');
  store.images.remove(two);
  await store.collect();
  assert.deepEqual(files(store), []);
});

test('what an image left behind whose removal was interrupted goes at the next start', { skip }, async () => {
  const dataRoot = tempDir();
  const first = await openStore({ dataRoot, log: silentLog() });
  first.images.remove(await addImage(first, 'x', [base, top]));
  await first[Symbol.asyncDispose]();
  await using store = await openStore({ dataRoot, log: silentLog() });
  await store.collect();
  assert.deepEqual(files(store), []);
});

test('blobs named with an image stay with it', async () => {
  await using store = await openTemp();
  await using lease = store.lease();
  const [config, extra] = [await lease.put(Buffer.from('{}'), ''), await lease.put(Buffer.from('extra'), '')];
  await lease.commit(() =>
    store.images.insert({ id: config.digest, chainId: undefined, manifest: undefined, taggedAt: '' }, [extra.digest]),
  );
  await lease[Symbol.asyncDispose]();
  await store.collect();
  assert.ok(store.content.has(extra.digest));
  store.images.remove(config.digest);
  await store.collect();
  assert.equal(store.content.has(extra.digest), false);
});

test('what has no row is swept, links are put right, missing files are reported', { skip }, async () => {
  const dataRoot = tempDir();
  const first = await openStore({ dataRoot, log: silentLog() });
  const id = await addImage(first, 'kept', [base, top]);
  const { dirs } = first;
  const chain = first.layers.chain(first.images.find(id)?.chainId ?? '');
  const before = files(first);
  await first[Symbol.asyncDispose]();
  for (const dir of [dirs.layers, dirs.tmp]) mkdirSync(join(dir, 'left.tmp/fs'), { recursive: true });
  for (const dir of [dirs.content, dirs.ingest, dirs.links]) writeFileSync(join(dir, 'left'), '');
  rmSync(join(dirs.links, chain[0]?.link ?? ''));
  rmSync(join(dirs.content, top.digest.slice(7)));

  const lines: string[] = [];
  await using store = await openStore({ dataRoot, log: openLog('info', (line) => lines.push(line)) });
  await store.collect();
  assert.deepEqual(
    files(store),
    before.filter((path) => path !== join(dirs.content, top.digest.slice(7))),
  );
  assert.match(readlinkSync(join(dirs.links, chain[0]?.link ?? '')), /^\.\.\/layers\/[0-9a-f]{64}\/fs$/);
  assert.ok(lines.some((line) => line.includes('the file of a blob is gone') && line.includes(top.digest)));
  await addImage(store, 'kept', [base, top]);
  await store.collect();
  assert.deepEqual(files(store), before);
});

test('a second store on the same data root is refused', async () => {
  await using store = await openTemp();
  await assert.rejects(openStore({ dataRoot: store.dirs.root, log: silentLog() }), /another engine is using/);
});

test('a data root that a newer version wrote is refused and left alone', async () => {
  const path = join(tempDir(), 'meta.db');
  const db = openDb(path);
  db.sql.exec('PRAGMA user_version = 999');
  db.close();
  assert.throws(() => openDb(path), { kind: 'conflict', message: /newer version \(schema 999\)/ });
  assert.throws(() => openDb(path), { kind: 'conflict' });
});

test('a full disk says so and leaves nothing', { skip }, async (t) => {
  const dataRoot = tempDir();
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dataRoot]);
  t.after(() => run('umount', [dataRoot], { allowFailure: true }));
  const store = await openStore({ dataRoot, log: silentLog() });
  const big = layerArchive([{ name: 'd/big', data: Buffer.alloc(5_000_000, 'x') }], true);
  {
    await using lease = store.lease();
    await lease.put(big.bytes, '');
    await assert.rejects(
      lease.unpack([{ blob: big.digest, diffId: big.diffId }]),
      /^GantryError: write d\/big: no space left on device$/,
    );
  }
  {
    await using lease = store.lease();
    await assert.rejects(lease.put(Buffer.alloc(5_000_000), ''), /no space left on device/);
  }
  await store.collect();
  assert.deepEqual(files(store), []);
  await addImage(store, 'small', [top]);
  await store[Symbol.asyncDispose]();
  await run('umount', [dataRoot]);
});

test('a store that is killed while it works leaves nothing to the next', { skip }, async () => {
  const dataRoot = tempDir();
  const script = `
    import { layerArchive, addImage } from '${import.meta.dirname}/store-fixture.ts';
    import { openStore } from '${import.meta.dirname}/store.ts';
    import { silentLog } from '${import.meta.dirname}/../util/log.ts';
    const store = await openStore({ dataRoot: ${JSON.stringify(dataRoot)}, log: silentLog() });
    const members = (from) => Array.from({ length: 300 }, (_, i) => ({ name: 'f' + (from + i), data: 'x'.repeat(20000) }));
    for (let i = 0; ; i++) {
      await addImage(store, 't' + i, [layerArchive(members(0)), layerArchive(members(i * 1000), true)]);
      console.log(i);
    }`;
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = -1;
    const begun = Promise.withResolvers<void>();
    child.stdout.on('data', (chunk: Buffer) => {
      told = Math.max(told, ...chunk.toString().trim().split('\n').map(Number));
      begun.resolve();
    });
    await begun.promise;
    await new Promise((resolve) => setTimeout(resolve, 40 + 70 * round));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));

    await using store = await openStore({ dataRoot, log: silentLog() });
    await store.collect();
    const tags = store.images.allTags();
    assert.ok(tags.length > told, 'an image that was told to be there is lost');
    for (const image of store.images.all()) {
      assert.ok(existsSync(store.content.path(image.id)));
      for (const dir of store.layers.lowerDirs(image.chainId ?? '')) assert.equal(readdirSync(dir).length, 300);
    }
    assert.deepEqual([readdirSync(store.dirs.ingest), readdirSync(store.dirs.tmp)], [[], []]);
    const layers = new Set(
      store.images
        .all()
        .flatMap(({ chainId }) => store.layers.chain(chainId ?? ''))
        .map(({ chainId }) => chainId),
    );
    assert.equal(readdirSync(store.dirs.layers).length, layers.size);
    assert.equal(readdirSync(store.dirs.links).length, layers.size);
    for (const { id } of store.images.all()) store.images.remove(id);
    await store.collect();
    assert.deepEqual(files(store), []);
  }
});
