import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { localRemote } from '../../remote/remote-fixture.ts';
import { silentLog } from '../../util/log.ts';
import { openImages } from './images.ts';
import {
  dockerArchive,
  type ImagesFixture,
  imageOf,
  ociArchive,
  openImagesFixture,
  tarOf,
  xzCompress,
} from './images-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'unpacking layers needs root';
const { signal } = new AbortController();
const one = imageOf([{ a: 'one' }]);
const two = imageOf([{ a: 'one' }, { b: 'two' }], { created: '2025-01-01T00:00:00Z' });
const short = (id: string): string => id.slice(7, 19);

async function loaded(...images: Parameters<typeof dockerArchive>[0]): Promise<ImagesFixture> {
  const fixture = await openImagesFixture();
  await fixture.load(tarOf(dockerArchive(images)));
  fixture.events.length = 0;
  return fixture;
}

const filters = (key: string, ...values: string[]) => ({ all: false, filters: new Map([[key, values]]) });
const plain = { force: false, noprune: false };
const forced = { force: true, noprune: false };

test('images are found by tag, id and prefix, with the errors of Docker', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x', 'h:80/y:2'].map((t) => (t === 'x' ? 'x:latest' : t)) });
  for (const ref of ['x', 'x:latest', 'docker.io/library/x', 'h:80/y:2', one.id, one.id.slice(7), short(one.id)]) {
    assert.equal(fixture.images.get(ref).id, one.id, ref);
  }
  assert.throws(() => fixture.images.get('nope'), { kind: 'not-found', message: 'No such image: nope:latest' });
  assert.throws(() => fixture.images.get('x:3'), { kind: 'not-found', message: 'No such image: x:3' });
  assert.throws(() => fixture.images.get('X'), { kind: 'invalid', message: /must be lowercase/ });
});

test('tags', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] });
  await fixture.images.tag('x:1', 'my/name', 'v2');
  await fixture.images.tag('x:1', 'other:3', '');
  assert.deepEqual(fixture.images.get(one.id).repoTags, ['other:3', 'x:1', 'my/name:v2']);
  assert.deepEqual(fixture.events, ['tag my/name:v2', 'tag other:3']);
  const cases: [repo: string, tag: string, message: string][] = [
    ['Foo', 'x', 'invalid reference format: repository name must be lowercase'],
    ['foo', '/', 'invalid tag format'],
    [`foo@${one.id}`, '', 'refusing to create a tag with a digest reference'],
    ['sha256', 'x', 'refusing to create an ambiguous tag using digest algorithm as name'],
  ];
  for (const [repo, tag, message] of cases) {
    await assert.rejects(fixture.images.tag('x:1', repo, tag), { kind: 'invalid', message });
  }
  await assert.rejects(fixture.images.tag('x:1', 'builtin/x', '1'), { kind: 'invalid', message: /reserved/ });
});

test('lists are filtered as by Docker, newest first', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1', 'y:1'] }, { image: two, tags: [] });
  const ids = (query: Parameters<typeof fixture.images.list>[0]) => fixture.images.list(query).map(({ id }) => id);
  assert.deepEqual(ids({ all: true, filters: new Map() }), [two.id, one.id]);
  assert.deepEqual(ids(filters('dangling', 'true')), [two.id]);
  assert.deepEqual(ids(filters('dangling', 'false')), [one.id]);
  assert.deepEqual(ids(filters('before', two.id)), [one.id]);
  assert.deepEqual(ids(filters('since', 'x:1')), [two.id]);
  assert.deepEqual(ids(filters('until', '2024-06-01T00:00:00Z')), [one.id]);
  assert.deepEqual(ids(filters('label', 'made=here')), [two.id, one.id]);
  assert.deepEqual(ids(filters('label', 'made=there')), []);
  assert.deepEqual(fixture.images.list(filters('reference', 'x*'))[0]?.repoTags, ['x:1']);
  assert.deepEqual(ids(filters('reference', 'z*', 'y')), [one.id]);
  assert.throws(() => ids(filters('foo', 'x')), { kind: 'invalid', message: "invalid filter 'foo'" });
  assert.throws(() => ids(filters('before', 'nope')), { message: 'No such image: nope:latest' });
});

test('removing: names first, then the image with the layers nobody else needs', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] }, { image: two, tags: ['y:1', 'z:1'] });
  const [bottom, top] = fixture.images.get('y:1').chainIds;
  await assert.rejects(fixture.images.remove(two.id, plain), {
    kind: 'conflict',
    message: `conflict: unable to delete ${short(two.id)} (must be forced) - image is referenced in multiple repositories`,
  });
  assert.deepEqual(await fixture.images.remove('y:1', plain), { untagged: ['y:1'], deleted: [] });
  assert.deepEqual(await fixture.images.remove('z:1', plain), { untagged: ['z:1'], deleted: [two.id, top] });
  assert.deepEqual(await fixture.images.remove(short(one.id), plain), { untagged: ['x:1'], deleted: [one.id, bottom] });
  assert.deepEqual(fixture.events, [
    `untag ${two.id}`,
    `untag ${two.id}`,
    `delete ${two.id}`,
    `untag ${one.id}`,
    `delete ${one.id}`,
  ]);
  assert.equal(fixture.store.layers.find(bottom ?? ''), undefined);
});

test('forced removal by id takes every name', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1', 'y:1'] });
  const { untagged, deleted } = await fixture.images.remove(one.id, forced);
  assert.deepEqual(untagged, ['x:1', 'y:1']);
  assert.equal(deleted[0], one.id);
});

test('an image in use is not removed; by force it loses its names, and its layers wait for the container', {
  skip,
}, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1', 'x:2'] });
  const container = 'c'.repeat(64);
  fixture.users.set(one.id, { running: [], stopped: [container] });
  assert.deepEqual(await fixture.images.remove('x:2', plain), { untagged: ['x:2'], deleted: [] });
  await assert.rejects(fixture.images.remove('x:1', plain), {
    kind: 'conflict',
    message:
      `conflict: unable to remove repository reference "x:1" (must force) - ` +
      `container ${short(`sha256:${container}`)} is using its referenced image ${short(one.id)}`,
  });
  await assert.rejects(fixture.images.remove(one.id, plain), {
    message: `conflict: unable to delete ${short(one.id)} (must be forced) - image is being used by stopped container cccccccccccc`,
  });
  fixture.users.set(one.id, { running: [container], stopped: [] });
  await assert.rejects(fixture.images.remove(one.id, forced), {
    message: `conflict: unable to delete ${short(one.id)} (cannot be forced) - image is being used by running container cccccccccccc`,
  });
  fixture.users.set(one.id, { running: [], stopped: [container] });
  const dirs = fixture.images.lowerDirs(fixture.images.get('x:1'));
  assert.deepEqual(await fixture.images.remove('x:1', forced), { untagged: ['x:1'], deleted: [one.id] });
  assert.throws(() => fixture.images.get(one.id), { kind: 'not-found' });
  await fixture.reopen();
  await fixture.images.releaseUnused();
  assert.equal(await readFile(join(dirs[0] ?? '', 'a'), 'utf8'), 'one');
  assert.deepEqual(fixture.images.lowerDirs(fixture.images.ofContainer(one.id)), dirs);
  fixture.users.clear();
  await fixture.images.releaseUnused();
  await assert.rejects(readFile(join(dirs[0] ?? '', 'a')), /ENOENT/);
  assert.throws(() => fixture.images.ofContainer(one.id), { kind: 'not-found' });
});

test('forced removal of a name of a running image takes the name only', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] });
  fixture.users.set(one.id, { running: ['c'.repeat(64)], stopped: [] });
  assert.deepEqual(await fixture.images.remove('x:1', forced), { untagged: ['x:1'], deleted: [] });
  assert.deepEqual(fixture.images.get(one.id).repoTags, []);
});

test('a pinned image keeps its layers', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] });
  const dir = fixture.images.lowerDirs(fixture.images.get('x:1'))[0] ?? '';
  {
    using pin = fixture.images.pin(one.id);
    assert.ok(pin);
    await fixture.images.remove('x:1', plain);
    await fixture.images.releaseUnused();
    assert.equal(await readFile(join(dir, 'a'), 'utf8'), 'one');
  }
  await fixture.images.releaseUnused();
  await assert.rejects(readFile(join(dir, 'a')), /ENOENT/);
});

test('pruning takes images without a name, with dangling=false all unused ones', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] }, { image: two, tags: [] });
  const nothing = { untagged: [], deleted: [], reclaimed: 0 };
  writeFileSync(join(fixture.store.dirs.ingest, `${'a'.repeat(64)}.partial`), 'part');
  assert.deepEqual(await fixture.images.prune(new Map([['label!', ['made']]])), nothing);
  assert.deepEqual(await fixture.images.prune(new Map([['until', ['2024-06-01T00:00:00Z']]])), nothing);
  const pruned = await fixture.images.prune(new Map());
  assert.deepEqual([pruned.untagged, pruned.deleted[0], pruned.reclaimed], [[], two.id, 7]);
  assert.equal(fixture.events.at(-1), 'prune 7');
  fixture.users.set(one.id, { running: [], stopped: ['c'.repeat(64)] });
  assert.deepEqual(await fixture.images.prune(new Map([['dangling', ['false']]])), nothing);
  fixture.users.clear();
  assert.deepEqual((await fixture.images.prune(new Map([['dangling', ['0']]]))).untagged, ['x:1']);
  await assert.rejects(fixture.images.prune(new Map([['before', ['x']]])), { message: "invalid filter 'before'" });
});

test('import makes an image of any archive', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const ask = { repo: 'im', tag: '1', message: '', changes: ['CMD ["sh"]', 'LABEL a=b'], signal };
  const archive = xzCompress(tarOf({ hello: 'world' }));
  const [line] = await Array.fromAsync(fixture.images.import(Readable.from([archive]), ask));
  const image = fixture.images.get('im:1');
  assert.deepEqual(line, { status: image.id });
  assert.equal(image.config.comment, 'Imported from -');
  assert.deepEqual(image.config.config.Cmd, ['sh']);
  assert.match(image.config.created, /^\d{4}-.*Z$/);
  assert.deepEqual(fixture.events, ['tag im:1', `import ${image.id}`]);
  assert.equal(await readFile(join(fixture.images.lowerDirs(image)[0] ?? '', 'hello'), 'utf8'), 'world');
  const again = (change: object) =>
    Array.fromAsync(fixture.images.import(Readable.from([archive]), { ...ask, ...change }));
  await assert.rejects(again({ changes: ['RUN ls'] }), { message: 'run is not a valid change command' });
  await assert.rejects(again({ repo: 'Im' }), { kind: 'invalid' });
  await assert.rejects(again({ repo: 'builtin/busybox' }), { message: /reserved/ });
  await assert.rejects(again({ platform: { os: 'plan9', architecture: 'x' } }), {
    message: 'operating system is not supported',
  });
});

test('what was saved loads again, and saving twice gives the same bytes', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1', 'x:2'] }, { image: two, tags: ['y:1'] });
  await fixture.load(tarOf(ociArchive(imageOf([{ gz: 'ip' }]), 'gz:1')));
  const save = async (...refs: string[]) => buffer(await fixture.images.save({ refs, signal }));
  const archive = await save('x', 'y:1', 'gz:1');
  assert.ok(archive.equals(await save('x', 'y:1', 'gz:1')));
  await using second = await openImagesFixture();
  const lines = await second.load(archive);
  assert.deepEqual(
    lines.map(({ stream }) => stream),
    ['x:1', 'x:2', 'y:1', 'gz:1'].map((name) => `Loaded image: ${name}\n`),
  );
  assert.equal(second.images.get('y:1').id, two.id);
  const back = await buffer(await second.images.save({ refs: ['gz:1'], signal }));
  assert.ok(back.equals(await save('gz:1')));
  const byId = await second.load(await save(one.id));
  assert.deepEqual(byId, [{ stream: `Loaded image ID: ${one.id}\n` }]);
  await assert.rejects(save('x', 'nope'), { kind: 'not-found', message: 'No such image: nope:latest' });
});

test('an archive that nobody reads holds nothing back', { skip }, async () => {
  await using fixture = await loaded({ image: one, tags: ['x:1'] });
  const unread = await fixture.images.save({ refs: ['x'], signal });
  const layer = fixture.images.get('x:1').chainIds[0] ?? '';
  const closed = once(unread, 'close');
  unread.destroy();
  await closed;
  await setImmediate();
  await fixture.images.remove('x:1', plain);
  assert.equal(fixture.store.layers.find(layer), undefined);
});

test('builtin/busybox is made when asked for, the same each time', { skip }, async () => {
  await using fixture = await openImagesFixture();
  assert.throws(() => fixture.images.get('builtin/busybox'), { kind: 'not-found' });
  const made = await fixture.images.resolve('builtin/busybox');
  assert.deepEqual(made.config.config.Cmd, ['sh']);
  assert.deepEqual(made.repoTags, ['builtin/busybox:latest']);
  const [dir = ''] = fixture.images.lowerDirs(made);
  assert.equal(
    execFileSync('chroot', [dir, '/bin/sh', '-c', 'echo $(env echo hello)'], { encoding: 'utf8' }),
    'hello\n',
  );
  assert.equal(execFileSync('chroot', [dir, '/bin/id', '-un'], { encoding: 'utf8' }), 'root\n');
  await using other = await openImagesFixture();
  assert.equal((await other.images.resolve('docker.io/builtin/busybox:latest')).id, made.id);
});

test('a changed busybox gives another image, a missing one a clear error', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const path = join(fixture.dataRoot, 'busybox');
  const open = () =>
    openImages({
      store: fixture.store,
      events: { emit: () => {}, subscribe: () => assert.fail() },
      inUse: () => ({ running: [], stopped: [] }),
      standingOn: () => [],
      busybox: path,
      remote: localRemote(),
      maxDownloads: 3,
      maxUploads: 5,
      log: silentLog(),
    });
  const images = await open();
  await assert.rejects(images.ensureBuiltin(), { kind: 'unavailable', message: /Debian package busybox-static/ });
  await copyFile('/bin/busybox', path);
  const before = await images.resolve('builtin/busybox');
  execFileSync('sh', ['-c', 'printf x >> "$0"', path]);
  const after = await images.resolve('builtin/busybox');
  assert.notEqual(after.id, before.id);
  assert.deepEqual(images.get(before.id).repoTags, []);
});
