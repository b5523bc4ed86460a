import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTemp } from '../../store/store-fixture.ts';
import { silentLog } from '../../util/log.ts';
import { openEvents } from '../events/events.ts';
import { startVolumePlugin } from './plugins/plugin-fixture.ts';
import { openVolumePlugins } from './plugins/volume-plugins.ts';
import { openVolumes } from './volumes.ts';

const LIMITS = { short: 2000, long: 2000, quick: 2000, connect: 2000 };
const asked = (name: string) => ({ name, driver: 'p', labels: null, options: {} });
const nobody = () => [];

/** The volumes of an engine whose plugin is called `p`. */
async function fixture() {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openTemp());
  const dir = store.dirs.volumes;
  const sockets = join(dir, '..', 'plugins');
  const plugin = stack.use(await startVolumePlugin(join(sockets, 'p.sock'), join(dir, '..', 'content')));
  const open = () =>
    openVolumes({
      rows: store.volumes,
      dir,
      events: openEvents(),
      plugins: openVolumePlugins({ sockets, specs: [] }, LIMITS),
      users: nobody,
      log: silentLog(),
    });
  const volumes = await open();
  await volumes.recover(nobody);
  const opened = stack.move();
  return { volumes, open, dir, plugin, rows: store.volumes, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Until it is so, for a second at most. */
async function comes(so: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !so(); i++) await sleep(10);
  assert.ok(so());
}

test('who starts after the engine does keeps what it mounts, however long other volumes take', async () => {
  await using it = await fixture();
  for (const name of ['busy', 'data']) {
    await it.volumes.create(asked(name));
    await it.volumes.use(name, 'c');
  }
  let release = () => {};
  it.plugin.instead.set('Unmount', (response, { Name, ID }) => {
    const answer = () => {
      it.plugin.mounted.delete(`${Name} ${ID}`);
      response.end('{}');
    };
    if (Name === 'busy') release = answer;
    else answer();
  });
  const next = await it.open();
  await next.recover(nobody);
  await next.use('data', 'c');
  release();
  await comes(() => !it.plugin.mounted.has('busy c'));
  await sleep(50);
  assert.deepEqual([...it.plugin.mounted], ['data c']);
});

test('no plugin that hangs keeps an engine from starting over a volume that was made for nobody', async () => {
  await using it = await fixture();
  const { volume } = await it.volumes.hold(asked(''), 'c');
  let release = () => {};
  it.plugin.instead.set('Remove', (response) => {
    release = () => response.end('{}');
  });
  const next = await it.open();
  await next.recover(nobody);
  assert.ok(next.find(volume.name), 'its removal goes on');
  await comes(() => it.plugin.calls.includes(`Remove ${volume.name}`));
  release();
  await comes(() => next.find(volume.name) === undefined && !existsSync(join(it.dir, volume.name)));
});

test('one that a plugin does not find for a moment is asked for again, and who has it mounted stays noted', async () => {
  await using it = await fixture();
  await it.volumes.create(asked('data'));
  await it.volumes.use('data', 'c');
  it.plugin.instead.set('Get', (response) => void response.end('{"Err":"busy"}'));
  await it.volumes.create(asked('data'));
  assert.deepEqual(it.plugin.calls, ['Create data', 'Mount data', 'Create data']);
  it.plugin.instead.set('Create', (response) => void response.end('{"Err":"busy"}'));
  await assert.rejects(it.volumes.create(asked('data')), { message: 'create data: busy' });
  assert.deepEqual(readdirSync(join(it.dir, 'data/_users')), ['c']);
});

test('those without a name do not wait for each other', async () => {
  await using it = await fixture();
  let release = () => {};
  it.plugin.instead.set('Create', (response) => {
    release = () => response.end('{}');
  });
  const slow = it.volumes.create(asked(''));
  await comes(() => it.plugin.calls.length === 1);
  const quick = await it.volumes.create({ ...asked(''), driver: '' });
  release();
  const made = await slow;
  assert.deepEqual([made.anonymous, quick.anonymous, made.labels], [true, true, quick.labels]);
  assert.deepEqual(it.plugin.calls, [`Create ${made.name}`]);
});

test('one without a name that cannot be written down is taken back from its plugin; one with a name may have been there', async (t) => {
  await using it = await fixture();
  t.mock.method(it.rows, 'insert', () => {
    throw new Error('disk full');
  });
  for (const name of ['', 'data']) await assert.rejects(it.volumes.hold(asked(name), 'c'), { message: 'disk full' });
  assert.deepEqual([...it.plugin.options.keys()], ['data']);
});
