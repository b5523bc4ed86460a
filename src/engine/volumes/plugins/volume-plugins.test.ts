import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findPlugin, type PluginDirs, scanPlugins } from './plugin-address.ts';
import { pluginDriver } from './plugin-driver.ts';
import { startVolumePlugin } from './plugin-fixture.ts';
import { openVolumePlugins } from './volume-plugins.ts';

const QUICK = { short: 300, long: 300, quick: 300, connect: 300 };

function fixture() {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-plugins-'));
  const dirs: PluginDirs = { sockets: join(dir, 'run'), specs: [join(dir, 'etc'), join(dir, 'lib')] };
  for (const path of [dirs.sockets, ...dirs.specs]) mkdirSync(path);
  const socket = (name: string) => join(dirs.sockets, `${name}.sock`);
  return {
    dir,
    dirs,
    socket,
    start: (name: string, scope?: string) => startVolumePlugin(socket(name), join(dir, 'data'), scope),
    plugins: openVolumePlugins(dirs, QUICK),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  };
}

test('a plugin is found by its socket first, then by what describes it', async () => {
  using it = fixture();
  await using _plugin = await it.start('here');
  await using _nested = await startVolumePlugin(join(it.dirs.sockets, 'deep', 'deep.sock'), it.dir);
  const [etc = '', lib = ''] = it.dirs.specs;
  writeFileSync(join(etc, 'here.spec'), 'tcp://127.0.0.1:1');
  writeFileSync(join(etc, 'far.spec'), 'tcp://127.0.0.1:9999\n');
  writeFileSync(join(lib, 'far.json'), '{"Addr":"tcp://127.0.0.1:1"}');
  writeFileSync(join(lib, 'six.json'), '{"Name":"six","Addr":"http://[::1]:80/"}');
  writeFileSync(join(lib, 'unix.json'), '{"Addr":"unix:///x/y.sock"}');
  writeFileSync(join(lib, 'safe.json'), '{"Addr":"https://host:1","TLSConfig":{"CAFile":"x"}}');
  writeFileSync(join(lib, 'odd.spec'), 'ftp://x');
  writeFileSync(join(lib, 'bad.json'), '{');
  const of = (name: string) => findPlugin(name, it.dirs);
  assert.deepEqual(await of('here'), { socketPath: it.socket('here') });
  assert.deepEqual(await of('deep'), { socketPath: join(it.dirs.sockets, 'deep/deep.sock') });
  assert.deepEqual(await of('far'), { host: '127.0.0.1', port: 9999 });
  assert.deepEqual(await of('six'), { host: '::1', port: 80 });
  assert.deepEqual(await of('unix'), { socketPath: '/x/y.sock' });
  await assert.rejects(of('safe'), { kind: 'unsupported' });
  await assert.rejects(of('odd'), { message: `${join(lib, 'odd.spec')}: unknown protocol in "ftp://x"` });
  await assert.rejects(of('bad'), { kind: 'internal' });
  for (const name of ['none', '', '../run/here', 'a/b', '.', 'a\0']) {
    await assert.rejects(of(name), { kind: 'not-found', message: `plugin "${name}" not found` });
  }
  assert.deepEqual(await scanPlugins(it.dirs), ['bad', 'deep', 'far', 'here', 'odd', 'safe', 'six', 'unix']);
  assert.deepEqual(await scanPlugins({ sockets: '/nowhere', specs: [] }), []);
});

test('what a plugin says is passed on; what it cannot have meant is refused', async () => {
  using it = fixture();
  await using plugin = await it.start('p', 'Global');
  const driver = await it.plugins.driver('p');
  assert.deepEqual([driver.scope, it.plugins.known()], ['global', ['p']]);
  await driver.create('data', { a: 'b' });
  assert.deepEqual(plugin.options.get('data'), { a: 'b' });
  assert.equal(await driver.mount('data', 'u'), join(it.dir, 'data/data'));
  assert.equal((await it.plugins.owner('data'))?.name, 'p');
  assert.equal(await it.plugins.owner('other'), undefined);
  const says = (method: string, text: string, status = 200) =>
    plugin.instead.set(method, (response) => void response.writeHead(status).end(text));
  const mounts = (text: string, error: object, status?: number) => {
    says('Mount', text, status);
    return assert.rejects(driver.mount('data', 'u'), error);
  };
  await mounts('{"Err":"no disk"}', { kind: 'internal', message: 'no disk' });
  await mounts('{"Err":"broken"}', { kind: 'internal', message: 'VolumeDriver.Mount: broken' }, 500);
  await mounts('plain words', { kind: 'internal', message: 'VolumeDriver.Mount: plain words' }, 404);
  for (const [text, why] of [
    ['rubbish', /not JSON/],
    ['[]', /does not say where/],
    ['null', /answer is wrong/],
    ['{"Mountpoint":5}', /answer is wrong/],
    ['{"Mountpoint":"relative"}', /a path that is not absolute/],
    ['{"Mountpoint":"/a\\u0000b"}', /a path that is not absolute/],
    [`{"Mountpoint":"/${'x'.repeat(5000)}"}`, /answer is wrong/],
    ['{}', /does not say where/],
    [`"${'x'.repeat(5 << 20)}"`, /an answer of more than 4194304 bytes/],
    ['['.repeat(100_000), /not JSON/],
  ] as const) {
    await mounts(text, { kind: 'unavailable', message: why });
  }
  says('Get', '{"Volume":{"Name":"another"}}');
  await assert.rejects(driver.get('data'), { kind: 'not-found' });
  says('List', '{"Volumes":[{"Name":"../../etc"}]}');
  const { volumes, failures } = await it.plugins.list();
  assert.deepEqual(volumes, []);
  assert.match(failures.join(), /^list p: VolumeDriver\.List: the plugin's answer is wrong: no name of a volume$/);
  says('List', '{"Volumes":null}');
  assert.deepEqual(await it.plugins.list(), { volumes: [], answered: ['p'], failures: [] });
});

test('one that hangs, dies or is something else holds nobody up for long', async () => {
  using it = fixture();
  const begin = performance.now();
  {
    await using plugin = await it.start('p');
    const driver = await it.plugins.driver('p');
    const hang = () => {};
    const drip = (response: ServerResponse) => {
      response.write('{');
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    const cut = (response: ServerResponse) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('{');
      setTimeout(() => response.destroy(), 20);
    };
    for (const [answer, why] of [
      [hang, 'the plugin did not answer in time'],
      [drip, 'the plugin did not answer in time'],
      [cut, 'aborted'],
    ] as const) {
      plugin.instead.set('Unmount', answer);
      await assert.rejects(driver.unmount('data', 'u'), {
        kind: 'unavailable',
        message: `VolumeDriver.Unmount: ${why}`,
      });
    }
    plugin.instead.set('List', hang);
    assert.match((await it.plugins.list()).failures.join(), /did not answer in time/);
    assert.match((await it.plugins.list()).failures.join(), /has not answered a moment ago/);
    plugin.instead.set('Activate', (response) => void response.end('{"Implements":["LogDriver"]}'));
    await assert.rejects(openVolumePlugins(it.dirs, QUICK).driver('p'), {
      kind: 'not-found',
      message: 'error looking up volume plugin p: plugin "p" does not implement VolumeDriver',
    });
  }
  await assert.rejects((await it.plugins.driver('p')).mount('data', 'u'), { kind: 'unavailable', message: /ENOENT/ });
  assert.ok(performance.now() - begin < 8_000);
});

test('one that starts anew in a moment is waited for', async () => {
  using it = fixture();
  await using stack = new AsyncDisposableStack();
  {
    await using _first = await it.start('p');
    await it.plugins.driver('p');
  }
  const driver = await it.plugins.driver('p');
  const made = driver.create('data', {});
  const second = stack.use(await it.start('p'));
  await made;
  assert.deepEqual(second.calls, ['Create data']);
});

test('one that breaks off is not told the same again: it may have done it', async () => {
  using it = fixture();
  await using plugin = await it.start('p');
  const driver = await it.plugins.driver('p');
  plugin.instead.set('Mount', (response) => void response.destroy());
  await assert.rejects(driver.mount('data', 'u'), { kind: 'unavailable' });
  assert.deepEqual(plugin.calls, ['Mount data']);
});

test('what a plugin calls its volumes leads nowhere, and content of a volume of the engine survives one of that name', async () => {
  using it = fixture();
  await using plugin = await it.start('p');
  const content = join(it.dir, 'volumes/data/_data/f');
  mkdirSync(dirname(content), { recursive: true });
  writeFileSync(content, 'kept');
  const driver = pluginDriver(
    () => it.plugins.driver('p'),
    (name) => join(it.dir, 'volumes', name),
  );
  const volume = { name: 'data', created: '', anonymous: false, driver: 'p', scope: 'local' as const, labels: null };
  await driver.create({ ...volume, mountpoint: '', options: null });
  await driver.use({ ...volume, mountpoint: '', options: null }, 'user');
  assert.deepEqual(readdirSync(join(it.dir, 'volumes/data/_users')), ['user']);
  await driver.remove({ ...volume, mountpoint: '', options: null }, () => {});
  assert.deepEqual(readdirSync(join(it.dir, 'volumes/data')), ['_data']);
  assert.equal(readFileSync(content, 'utf8'), 'kept');
  for (const name of ['..', '.', 'a/b']) {
    plugin.instead.set('Get', (response) => void response.end(JSON.stringify({ Volume: { Name: name } })));
    assert.equal(await it.plugins.owner(name), undefined, name);
  }
});
