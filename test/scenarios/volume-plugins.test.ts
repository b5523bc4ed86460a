import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startVolumePlugin, type TestPlugin } from '../../src/engine/volumes/plugins/plugin-fixture.ts';
import { importBusybox, onBoth } from '../support/both.ts';
import { eventually } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import type { Target } from '../support/target.ts';

// Both engines look for plugins in the same place of the host: these have names of their own.

const socketOf = (name: string): string => `/run/docker/plugins/${name}.sock`;

interface Fixture extends AsyncDisposable {
  readonly name: string;
  readonly dir: string;
  readonly plugin: TestPlugin;
}

async function start(target: Target, what: string): Promise<Fixture> {
  const name = `gantry-test-${what}-${target.name}-${process.pid}`;
  const dir = mkdtempSync(join(tmpdir(), 'gantry-plugin-'));
  const plugin = await startVolumePlugin(socketOf(name), dir, 'global');
  return {
    name,
    dir,
    plugin,
    [Symbol.asyncDispose]: async () => {
      await plugin[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    },
  };
}

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function said(target: Target, method: string, path: string, body?: object): Promise<string> {
  const { status, text } = await target.api(method, path, body);
  const { message = '' } = text === '' ? {} : (JSON.parse(text) as { message?: string });
  return `${status} ${message}`.trim();
}

/** One for each engine: a dockerd waits half a minute for each one that is gone. */
const started = new Map<string, Fixture>();
after(async () => {
  for (const it of started.values()) await it[Symbol.asyncDispose]();
});

async function own(target: Target): Promise<Fixture> {
  const found = started.get(target.name) ?? (await start(target, 'own'));
  started.set(target.name, found);
  found.plugin.calls.splice(0);
  return found;
}

onBoth('volumes of plugins', {
  'are made, shown, mounted for as long as they are used, and removed': async (target) => {
    const it = await own(target);
    const { name, dir, plugin } = it;
    const calls = () => plugin.calls.splice(0);
    const labels = { x: 'y' };
    const body = { Name: 'pv', Driver: name, DriverOpts: { a: 'b' }, Labels: labels };
    const { CreatedAt: _, ...made } = (await target.api('POST', '/volumes/create', body)).json();
    const shown = { Driver: name, Labels: labels, Mountpoint: '', Name: 'pv', Options: { a: 'b' }, Scope: 'global' };
    assert.deepEqual(made, shown);
    assert.deepEqual(plugin.options.get('pv'), { a: 'b' });
    const { CreatedAt, ...got } = (await target.api('GET', '/volumes/pv')).json();
    assert.deepEqual(got, { ...shown, Status: { users: 0 } });
    assert.equal(CreatedAt, '2020-01-02T03:04:05Z');
    const drivers = (await target.api('GET', '/info')).json<{ Plugins: { Volume: string[] } }>().Plugins.Volume;
    assert.deepEqual(drivers, [name, 'local']);
    calls();

    // Filled from the image at first, as any volume; seen by the second.
    const script = 'echo kept >/etc/f; grep -c root /etc/passwd';
    await ok(target, 'run', '--rm', '-v', 'pv:/etc', 'busybox', 'sh', '-c', script);
    assert.deepEqual(calls(), ['Mount pv', 'Unmount pv', 'Mount pv', 'Unmount pv']);
    assert.equal(readFileSync(join(dir, 'pv/f'), 'utf8'), 'kept\n');
    const id = await ok(target, 'create', '-v', 'pv:/d:ro', 'busybox', 'sh', '-c', 'cat /d/f; sleep 1000');
    assert.deepEqual(calls(), [], 'there is nothing to fill it with');
    await ok(target, 'start', id);
    assert.deepEqual(calls(), ['Mount pv']);
    await eventually('its output', async () => (await ok(target, 'logs', id)) === 'kept');
    const [mount] = JSON.parse(await ok(target, 'inspect', '--format', '{{json .Mounts}}', id)) as { Source: string }[];
    assert.deepEqual(
      { ...mount, Source: '' },
      {
        Type: 'volume',
        Name: 'pv',
        Source: '',
        Destination: '/d',
        Driver: name,
        Mode: 'ro',
        RW: false,
        Propagation: '',
      },
    );
    const used = await said(target, 'DELETE', '/volumes/pv');
    assert.equal(used, `409 remove pv: volume is in use - [${id}]`);
    assert.equal((await target.api('GET', '/volumes/pv')).json<{ Mountpoint: string }>().Mountpoint, join(dir, 'pv'));
    await ok(target, 'rm', '-f', id);
    assert.deepEqual([calls(), plugin.mounted.size], [['Unmount pv'], 0]);
    await ok(target, 'volume', 'rm', 'pv');
    assert.deepEqual([calls(), plugin.options.size], [['Remove pv'], 0]);
    assert.equal(await said(target, 'GET', '/volumes/pv'), '404 get pv: no such volume');
  },

  'may be known to their plugin alone, without a name, or of a name that another driver has': async (target) => {
    const it = await own(target);
    const { name, plugin } = it;
    plugin.make('theirs');
    const listed = async () =>
      (await ok(target, 'volume', 'ls', '--filter', `driver=${name}`, '--format', '{{.Name}} {{.Driver}}')).split('\n');
    assert.deepEqual(await listed(), [`theirs ${name}`]);
    const { Driver, Labels } = (await target.api('GET', '/volumes/theirs')).json();
    assert.deepEqual([Driver, Labels], [name, null]);
    await ok(target, 'run', '--rm', '-v', 'theirs:/d', 'busybox', 'touch', '/d/x');
    await ok(target, 'volume', 'prune', '-f');
    assert.deepEqual(await listed(), [`theirs ${name}`], 'nothing of a plugin is pruned');

    plugin.calls.splice(0);
    await ok(target, 'run', '--rm', '--volume-driver', name, '-v', '/anon', 'busybox', 'true');
    const words = plugin.calls.splice(0).map((call) => call.split(' ')[0]);
    assert.deepEqual(words, ['Create', 'Mount', 'Unmount', 'Remove']);

    const create = (Name: string, driver: string) => said(target, 'POST', '/volumes/create', { Name, Driver: driver });
    assert.equal(await create('theirs', name), '201');
    const taken = `409 create theirs: driver '${name}' already has volume 'theirs': volume name must be unique`;
    assert.equal(await create('theirs', 'local'), taken);
    await ok(target, 'volume', 'create', 'mine');
    const mine = "409 create mine: driver 'local' already has volume 'mine': volume name must be unique";
    assert.equal(await create('mine', name), mine);
    await ok(target, 'volume', 'rm', 'mine', 'theirs');
  },

  'fail in the words of their plugin': async (target) => {
    const it = await own(target);
    const { name, plugin } = it;
    const says = (method: string, text: string, status = 200) =>
      plugin.instead.set(method, (response) => void response.writeHead(status).end(text));
    const run = async () => {
      const { code, stderr } = await target.docker(['run', '--rm', '-v', 'pv:/d', 'busybox', 'true']);
      assert.notEqual(code, 0);
      return /daemon: (.*)$/mu.exec(stderr)?.[1];
    };
    says('Create', '{"Err":"no disk"}');
    assert.equal(await said(target, 'POST', '/volumes/create', { Name: 'pv', Driver: name }), '500 create pv: no disk');
    assert.equal(await said(target, 'GET', '/volumes/pv'), '404 get pv: no such volume');
    plugin.instead.clear();
    await ok(target, 'volume', 'create', '-d', name, 'pv');
    says('Mount', '{"Err":"no luck"}');
    assert.equal(await run(), "error while mounting volume '': no luck");
    says('Mount', '{"Err":"no luck"}', 500);
    assert.equal(await run(), "error while mounting volume '': VolumeDriver.Mount: no luck");
    plugin.instead.clear();
    says('Remove', '{"Err":"it is kept"}');
    assert.equal(await said(target, 'DELETE', '/volumes/pv'), '500 remove pv: it is kept');
    plugin.instead.clear();
    assert.equal(await said(target, 'DELETE', '/volumes/pv'), '204');
    assert.equal(plugin.mounted.size, 0);
  },
});

describe('a plugin that comes and goes', () => {
  let gantry: TestEngine;
  before(async () => {
    gantry = await startGantry();
    await importBusybox(gantry);
  });
  after(() => gantry[Symbol.asyncDispose]());

  test('is missed in clear words, and its volumes are there again with it', async () => {
    const first = await start(gantry, 'gone');
    const { name } = first;
    await ok(gantry, 'volume', 'create', '-d', name, 'pv');
    const id = await ok(gantry, 'run', '-d', '-v', 'pv:/d', 'busybox', 'sleep', '1000');
    await first[Symbol.asyncDispose]();
    await gantry.terminate();
    await gantry.start();
    const missing = `error looking up volume plugin ${name}: plugin "${name}" not found`;
    assert.equal(await said(gantry, 'GET', '/volumes/pv'), `404 get pv: ${missing}`);
    const { Volumes, Warnings } = (await gantry.api('GET', '/volumes')).json<{
      Volumes: object[];
      Warnings: string[];
    }>();
    assert.deepEqual([Volumes.length, Warnings], [1, [`list ${name}: plugin "${name}" not found`]]);
    await ok(gantry, 'stop', '-t', '0', id);
    assert.equal(
      await said(gantry, 'POST', `/containers/${id}/start`),
      `404 error while mounting volume '': ${missing}`,
    );
    await using second = await start(gantry, 'gone');
    second.plugin.make('pv');
    assert.equal(await said(gantry, 'POST', `/containers/${id}/start`), '204');
    assert.deepEqual(second.plugin.calls, ['Mount pv']);
    await ok(gantry, 'rm', '-f', id);
    assert.equal(second.plugin.mounted.size, 0);
    await ok(gantry, 'volume', 'rm', 'pv');
  });

  test('can be away for good: force forgets its volumes', async () => {
    // dockerd looks for it for a quarter of a minute, to say the same.
    const nowhere = 'error looking up volume plugin gantry-nowhere: plugin "gantry-nowhere" not found';
    const made = await said(gantry, 'POST', '/volumes/create', { Name: 'pv', Driver: 'gantry-nowhere' });
    assert.equal(made, `404 create pv: ${nowhere}`);
    {
      await using it = await start(gantry, 'lost');
      await ok(gantry, 'volume', 'create', '-d', it.name, 'pv');
    }
    assert.match(await said(gantry, 'DELETE', '/volumes/pv'), /^500 remove pv: VolumeDriver\.Remove: connect ENOENT /u);
    await gantry.docker(['volume', 'rm', '-f', 'pv']);
    assert.equal(await said(gantry, 'GET', '/volumes/pv'), '404 get pv: no such volume');
  });

  test('hears of every end, also of one that came while no engine looked', async () => {
    await using it = await start(gantry, 'kill');
    await ok(gantry, 'volume', 'create', '-d', it.name, 'pv');
    const [ended, goesOn] = [await run('sleep 1'), await run('sleep 1000')];
    assert.equal(it.plugin.mounted.size, 2);
    await gantry.crash();
    await sleep(1_200);
    // As if a kill had come between the plugin's answer and the container's start.
    it.plugin.instead.set('Mount', () => void gantry.crash());
    await gantry.start();
    await eventually('the end is told', async () => it.plugin.mounted.size === 1);
    assert.ok([...it.plugin.mounted][0]?.includes(goesOn));
    await gantry.api('POST', `/containers/${ended}/start`).catch(() => {});
    it.plugin.instead.clear();
    it.plugin.mounted.add(`pv ${ended}`);
    await gantry.start();
    await eventually('the start that came to nothing is told', async () => it.plugin.mounted.size === 1);
    await ok(gantry, 'rm', '-f', ended, goesOn);
    assert.equal(it.plugin.mounted.size, 0);
    await ok(gantry, 'volume', 'rm', 'pv');
  });

  test('that hangs keeps no engine from starting', async () => {
    await using it = await start(gantry, 'hung');
    await ok(gantry, 'volume', 'create', '-d', it.name, 'pv');
    const id = await run('sleep 1');
    await gantry.crash();
    await sleep(1_200);
    it.plugin.instead.set('Unmount', () => {});
    await gantry.start();
    assert.equal(await ok(gantry, 'inspect', '--format', '{{.State.Status}}', id), 'exited');
    await ok(gantry, 'rm', id);
    it.plugin.instead.clear();
    it.plugin.cut();
    await eventually('the end is told', async () => it.plugin.calls.includes('Unmount pv'));
    await ok(gantry, 'volume', 'rm', 'pv');
  });

  const run = (script: string) => ok(gantry, 'run', '-d', '-v', 'pv:/d', 'busybox', 'sh', '-c', script);
});
