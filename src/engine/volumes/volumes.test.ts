import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { detachAll } from '../../kernel/detach.ts';
import { mountPoints } from '../../kernel/mount-points.ts';
import { openTemp } from '../../store/store-fixture.ts';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { openEvents } from '../events/events.ts';
import { openVolumePlugins } from './plugins/volume-plugins.ts';
import { openVolumes } from './volumes.ts';

const plain = { driver: '', labels: null, options: {} };
const named = (name: string) => ({ ...plain, name });

async function fixture() {
  const store = await openTemp();
  const users = new Map<string, string[]>();
  const open = (dir = store.dirs.volumes) =>
    openVolumes({
      rows: store.volumes,
      dir,
      events: openEvents(),
      plugins: openVolumePlugins({ sockets: join(store.dirs.volumes, 'none'), specs: [] }),
      users: (name) => users.get(name) ?? [],
      log: silentLog(),
    });
  return {
    volumes: await open(),
    users,
    rows: store.volumes,
    open,
    dir: store.dirs.volumes,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

test('a volume is made once, kept, and removed', async () => {
  await using it = await fixture();
  const made = await it.volumes.create({ ...named('data'), labels: { a: 'b' } });
  assert.deepEqual(await it.volumes.create(named('data')), made);
  writeFileSync(join(made.mountpoint, 'f'), 'hello');
  assert.deepEqual(await it.volumes.usage('data'), { size: 5, users: 0 });
  const again = await it.open();
  assert.deepEqual(await again.get('data'), made);
  await again.remove('data', false);
  assert.equal(existsSync(join(it.dir, 'data')), false);
  await assert.rejects(again.remove('data', false), { kind: 'not-found', message: 'get data: no such volume' });
  await again.remove('data', true);
});

test('names, drivers and options that cannot be', async () => {
  await using it = await fixture();
  const fails = (request: object, message: RegExp) =>
    assert.rejects(it.volumes.create({ ...named('data'), ...request }), { message });
  await fails({ name: 'a' }, /volume name is too short/);
  await fails({ name: '../x' }, /includes invalid characters for a local volume name/);
  await fails({ driver: 'nope' }, /plugin "nope" not found/);
  await fails({ options: { x: '1' } }, /invalid option: "x"/);
  await fails({ options: { type: 'tmpfs' } }, /^create data: missing required option: "device"$/);
  await fails({ options: { o: 'bind' } }, /^create data: missing required option: "device"$/);
  await fails({ options: { device: '/x' } }, /^create data: missing required option: "type"$/);
  await fails({ options: { size: 'x' } }, /^create data: invalid size: 'x'$/);
  await fails({ options: { size: '1m' } }, /^create data: quota size requested but no quota support$/);
  const cifs = { type: 'cifs', device: '//host:445/share' };
  await fails({ options: cifs }, /^create data: port not allowed in CIFS device URL, include 'port' in 'o='$/);
  assert.deepEqual((await it.volumes.list(new Map())).volumes, []);
});

test('one in use stays; a hold counts as use', async () => {
  await using it = await fixture();
  await it.volumes.create(named('data'));
  it.users.set('data', ['c1']);
  await assert.rejects(it.volumes.remove('data', true), { message: 'remove data: volume is in use - [c1]' });
  it.users.clear();
  {
    using _held = await it.volumes.hold(named('data'), 'c2');
    await assert.rejects(it.volumes.remove('data', false), { kind: 'conflict' });
  }
  await it.volumes.remove('data', false);
});

test('prune takes the anonymous, or all, that nobody uses', async () => {
  await using it = await fixture();
  const anonymous = await it.volumes.create(named(''));
  await it.volumes.create({ ...named('kept'), labels: { keep: '' } });
  await it.volumes.create(named('other'));
  assert.deepEqual((await it.volumes.prune(new Map(), false)).deleted, [anonymous.name]);
  assert.deepEqual((await it.volumes.prune(new Map([['label!', ['keep']]]), true)).deleted, ['other']);
  it.users.set('kept', ['c']);
  assert.deepEqual((await it.volumes.prune(new Map(), true)).deleted, []);
});

test('filters', async () => {
  await using it = await fixture();
  await it.volumes.create({ ...named('data'), labels: { a: 'b' } });
  await it.volumes.create(named('other'));
  it.users.set('other', ['c']);
  const names = async (filters: object) =>
    (await it.volumes.list(new Map(Object.entries(filters)))).volumes.map(({ name }) => name);
  assert.deepEqual(await names({ name: ['dat'] }), ['data']);
  assert.deepEqual(await names({ label: ['a=b'] }), ['data']);
  assert.deepEqual(await names({ driver: ['nfs'] }), []);
  assert.deepEqual(await names({ dangling: ['true'] }), ['data']);
  assert.deepEqual(await names({ dangling: ['false'] }), ['other']);
  await assert.rejects(names({ dangling: ['x'] }), /invalid filter 'dangling/);
});

test('what a kill leaves: a directory without a row goes, a row gets its directory back', async () => {
  await using it = await fixture();
  const { mountpoint } = await it.volumes.create(named('data'));
  rmSync(join(it.dir, 'data'), { recursive: true });
  mkdirSync(join(it.dir, 'stranger/_data'), { recursive: true });
  await it.open();
  assert.deepEqual([existsSync(mountpoint), existsSync(join(it.dir, 'stranger'))], [true, false]);
});

const skip = process.getuid?.() === 0 ? false : 'needs root';
const TMPFS = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };

test('what options name is mounted from the first user to the last, and a removal takes it off', { skip }, async () => {
  await using it = await fixture();
  const { mountpoint } = await it.volumes.create({ ...named('data'), options: TMPFS });
  const mounts = async () => (await mountPoints(mountpoint)).length;
  await it.volumes.use('data', 'a');
  await it.volumes.use('data', 'b');
  writeFileSync(join(mountpoint, 'f'), '');
  await it.volumes.leave('data', 'a');
  // Again, or never there: nothing.
  await it.volumes.leave('data', 'a');
  assert.equal(await mounts(), 1);
  await it.volumes.leave('data', 'b');
  assert.equal(await mounts(), 0);
  await it.volumes.use('data', 'a');
  // As after a kill: nobody is known to use it.
  const again = await it.open();
  await again.recover(() => []);
  assert.equal(await mounts(), 0);
  await again.use('data', 'a');
  const third = await it.open();
  await third.recover((name) => (name === 'data' ? ['a'] : []));
  assert.equal(await mounts(), 1);
  await third.leave('data', 'a');
  assert.equal(await mounts(), 0);
  assert.deepEqual((await third.prune(new Map(), true)).deleted, []);
  await third.remove('data', false);
});

test('the data behind a mount survives whatever is removed', { skip }, async () => {
  await using it = await fixture();
  const own = join(it.dir, '..', 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'f'), 'mine');
  await it.volumes.create({ ...named('data'), options: { type: 'none', o: 'bind', device: own } });
  await it.volumes.use('data', 'a');
  // A kill came when the row was gone and the directory was not.
  writeFileSync(join(it.dir, 'data/_removed'), '');
  it.rows.remove('data');
  await it.open();
  assert.equal(existsSync(join(it.dir, 'data')), false);
  assert.equal(existsSync(join(own, 'f')), true);
});

test('what a bind brings along stays mounted where it came from, whatever is removed', { skip }, async () => {
  await using it = await fixture();
  const own = join(it.dir, '..', 'own');
  const below = join(own, 'below');
  mkdirSync(below, { recursive: true });
  await using undo = new AsyncDisposableStack();
  undo.defer(() => detachAll(own));
  await run('mount', ['--bind', own, own]);
  await run('mount', ['--make-rshared', own]);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', below]);
  writeFileSync(join(below, 'f'), 'mine');
  for (const o of ['rbind', 'rbind,rshared', 'bind']) {
    const options = { type: 'none', o, device: own };
    const { mountpoint } = await it.volumes.create({ ...named('data'), options });
    const carried = o === 'bind' ? [mountpoint] : [mountpoint, join(mountpoint, 'below')];
    for (const end of ['last user', 'lost daemon', 'lost row']) {
      await it.volumes.use('data', 'a');
      assert.deepEqual(await mountPoints(mountpoint), carried);
      // Mounted by somebody later, it is there as well.
      const later = join(own, 'later');
      mkdirSync(later, { recursive: true });
      await run('mount', ['-t', 'tmpfs', 'tmpfs', later]);
      if (end === 'last user') await it.volumes.leave('data', 'a');
      else if (end === 'lost daemon') await (await it.open()).recover(() => []);
      else {
        writeFileSync(join(it.dir, 'data/_removed'), '');
        it.rows.remove('data');
        await it.open();
        assert.equal(existsSync(join(it.dir, 'data')), false);
      }
      assert.deepEqual(await mountPoints(mountpoint), [], `${o}: ${end}`);
      assert.deepEqual(await mountPoints(own), [own, below, later], `${o}: ${end}`);
      assert.equal(existsSync(join(below, 'f')), true);
      await run('umount', [later]);
      // What the volume's users are, this one has not been told.
      it.volumes = await it.open();
    }
  }
});

test('a file system that the kernel lacks, a host that nobody knows, and no password in what is said', {
  skip,
}, async () => {
  await using it = await fixture();
  const fails = async (options: Record<string, string>, message: RegExp) => {
    await it.volumes.create({ ...named('data'), options });
    await assert.rejects(it.volumes.use('data', 'a'), { kind: 'internal', message });
    await it.volumes.remove('data', false);
  };
  const known = await readFile('/proc/filesystems', 'utf8');
  const absent = ['nfs', 'cifs', 'ncpfs'].filter((type) => !new RegExp(`\\b${type}$`, 'm').test(known));
  for (const type of absent) {
    await fails(
      { type, device: '//localhost/share', o: 'addr=localhost,password=secret' },
      new RegExp(
        `^error while mounting volume '.*/data/_data': failed to mount local volume: mount //localhost/share:.*, data: addr=(127\\.0\\.0\\.1|::1|localhost),password=\\*{8}: no such device \\(the kernel of this host has no file system "${type}"\\)$`,
      ),
    );
  }
  const nowhere = /error resolving passed in network volume address: lookup nowhere\.invalid: no such host$/;
  await fails({ type: 'nfs', device: ':/x', o: 'addr=nowhere.invalid' }, nowhere);
  await fails({ type: 'cifs', device: '//nowhere.invalid/share', o: 'user=x' }, nowhere);
  if (absent.includes('cifs'))
    await fails({ type: 'cifs', device: '//localhost/s h' }, /mount \/\/(127\.0\.0\.1|::1)\/s h:/);
});

test('a volume that was being filled when the engine was killed is empty', async () => {
  await using it = await fixture();
  const { mountpoint } = await it.volumes.create(named('data'));
  mkdirSync(join(it.dir, 'data/_filling'));
  writeFileSync(join(it.dir, 'data/_filling/half'), '');
  await it.open();
  assert.deepEqual([readdirSync(join(it.dir, 'data')), readdirSync(mountpoint)], [['_data'], []]);
});

test('one made for a container that did not come to be goes at the next start; others stay', async () => {
  await using it = await fixture();
  const hold = async () => (await it.volumes.hold(named(''), 'c')).volume.name;
  const [lost, kept, settled] = [await hold(), await hold(), await hold()];
  using _named = await it.volumes.hold(named('data'), 'c');
  it.users.set(kept, ['c']);
  await it.volumes.settle(settled);
  const names = async () => {
    const again = await it.open();
    await again.recover(() => []);
    return (await again.list(new Map())).volumes.map(({ name }) => name).sort();
  };
  const rest = [kept, settled, 'data'].sort();
  assert.deepEqual(await names(), rest);
  assert.equal(existsSync(join(it.dir, lost)), false);
  it.users.clear();
  assert.deepEqual(await names(), rest, 'its container was there once');
});

test('a database that forgot a volume costs nobody what is in it', async () => {
  await using it = await fixture();
  const { mountpoint } = await it.volumes.create(named('data'));
  writeFileSync(join(mountpoint, 'f'), 'mine');
  it.rows.remove('data');
  const again = await it.open();
  assert.deepEqual([existsSync(join(mountpoint, 'f')), (await again.list(new Map())).volumes], [true, []]);
  assert.equal((await again.create(named('data'))).mountpoint, mountpoint);
  assert.equal(existsSync(join(mountpoint, 'f')), true, 'who makes it again finds it');
});

test('roots that are links change nothing', { skip }, async () => {
  await using it = await fixture();
  const link = join(it.dir, '..', 'link');
  symlinkSync(it.dir, link);
  const own = join(it.dir, '..', 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'f'), 'mine');
  const volumes = await it.open(link);
  await volumes.create({ ...named('data'), options: { type: 'none', o: 'bind', device: own } });
  await volumes.use('data', 'a');
  await volumes.leave('data', 'a');
  await volumes.use('data', 'b');
  await volumes.remove('data', false);
  assert.deepEqual([existsSync(join(own, 'f')), existsSync(join(it.dir, 'data'))], [true, false]);
});
