import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTemp } from '../../store/store-fixture.ts';
import { openEvents } from '../events/events.ts';
import { openVolumes } from './volumes.ts';

const plain = { driver: '', labels: null, options: {} };
const named = (name: string) => ({ ...plain, name });

async function fixture() {
  const store = await openTemp();
  const users = new Map<string, string[]>();
  const open = () =>
    openVolumes({
      rows: store.volumes,
      dir: store.dirs.volumes,
      events: openEvents(),
      users: (name) => users.get(name) ?? [],
    });
  return {
    volumes: open(),
    users,
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
  const again = it.open();
  assert.deepEqual(again.get('data'), made);
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
  await fails({ options: { type: 'tmpfs' } }, /not supported yet/);
  assert.deepEqual(it.volumes.list(new Map()), []);
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
  const names = (filters: object) => it.volumes.list(new Map(Object.entries(filters))).map(({ name }) => name);
  assert.deepEqual(names({ name: ['dat'] }), ['data']);
  assert.deepEqual(names({ label: ['a=b'] }), ['data']);
  assert.deepEqual(names({ driver: ['nfs'] }), []);
  assert.deepEqual(names({ dangling: ['true'] }), ['data']);
  assert.deepEqual(names({ dangling: ['false'] }), ['other']);
  assert.throws(() => names({ dangling: ['x'] }), /invalid filter 'dangling/);
});

test('what a kill leaves: a directory without a row goes, a row gets its directory back', async () => {
  await using it = await fixture();
  const { mountpoint } = await it.volumes.create(named('data'));
  rmSync(join(it.dir, 'data'), { recursive: true });
  mkdirSync(join(it.dir, 'stranger/_data'), { recursive: true });
  it.open();
  assert.deepEqual([existsSync(mountpoint), existsSync(join(it.dir, 'stranger'))], [true, false]);
});
