import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { waitingForRestart } from './config.ts';
import { parseDaemonFlags } from './flags.ts';
import { loadConfig, parseConfigFile } from './load-config.ts';

const dir = await mkdtemp(join(tmpdir(), 'gantry-config-'));
after(() => rm(dir, { recursive: true }));

async function load(args: string[], file: object | string): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  const path = join(dir, 'daemon.json');
  await writeFile(path, typeof file === 'string' ? file : JSON.stringify(file));
  return loadConfig(parseDaemonFlags(['--config-file', path, ...args]));
}

test('defaults follow the exec root', async () => {
  const config = await load(['--exec-root', '/run/other'], {});
  assert.deepEqual(config.hosts, ['unix:///run/other/gantry.sock']);
  assert.equal(config.pidfile, '/run/other/gantry.pid');
  assert.equal(config.dataRoot, '/var/lib/gantry');
  assert.equal(config.logLevel, 'info');
});

test('an empty list of hosts is none given', async () => {
  assert.deepEqual((await load([], { hosts: [] })).hosts, ['unix:///run/gantry/gantry.sock']);
});

test('of changed settings those are named that a reload does not take over', async () => {
  const running = await load([], { dns: ['10.0.0.1'] });
  assert.deepEqual(
    waitingForRestart(running, await load([], { dns: ['10.0.0.1'], debug: true, 'shutdown-timeout': 3 })),
    [],
  );
  assert.deepEqual(waitingForRestart(running, await load([], { 'data-root': '/d', dns: [] })), ['dataRoot', 'dns']);
});

test('flags and file each set what they name', async () => {
  const config = await load(['-D', '-H', 'unix:///a.sock', '--host=unix:///b.sock', '--add-runtime', 'mine=/opt/r'], {
    dns: ['10.0.0.1', 'fd00::1'],
    'data-root': '/data',
  });
  assert.deepEqual(config.hosts, ['unix:///a.sock', 'unix:///b.sock']);
  assert.deepEqual(config.runtimes, { mine: { path: '/opt/r' } });
  assert.deepEqual(config.dns, ['10.0.0.1', 'fd00::1']);
  assert.equal(config.dataRoot, '/data');
  assert.equal(config.logLevel, 'debug');
});

test('the log of containers that name none', async () => {
  assert.deepEqual((await load([], {})).logConfig, { Type: 'json-file', Config: {} });
  const flags = ['--log-driver', 'local', '--log-opt', 'max-size=1m', '--log-opt', 'compress=false'];
  const asked = { Type: 'local', Config: { 'max-size': '1m', compress: 'false' } };
  assert.deepEqual((await load(flags, {})).logConfig, asked);
  assert.deepEqual((await load([], { 'log-driver': 'local', 'log-opts': asked.Config })).logConfig, asked);
  assert.throws(() => parseDaemonFlags(['--log-opt', 'x']), /bad format for log-opt/);
});

test('a bad key is refused by its name', async () => {
  await assert.rejects(load([], { 'data-rot': '/x' }), /don't match any configuration option: data-rot/);
  await assert.rejects(load([], { debug: 'yes' }), /debug: .*boolean/);
  await assert.rejects(load([], { hosts: 'unix:///x' }), /hosts: .*Array/);
  await assert.rejects(load([], { 'log-level': 'loud' }), /log-level/);
  for (const address of ['one', '10.0.0', '300.1.1.1', 'fd00:::1']) {
    await assert.rejects(load(['--dns', address], {}), { message: `dns: ${address} is not an ip address` });
  }
});

test('a key given twice is refused with both values', async () => {
  await assert.rejects(
    load(['--bip', '10.1.0.1/16'], { bip: '10.2.0.1/16' }),
    /specified both as a flag and in the configuration file: bip: \(from flag: 10\.1\.0\.1\/16, from file: 10\.2\.0\.1\/16\)/,
  );
});

test('a file that is not JSON or not an object is refused', () => {
  assert.throws(() => parseConfigFile('{', 'f'), /with file f/);
  assert.throws(() => parseConfigFile('[]', 'f'), /not a JSON object/);
  assert.deepEqual(parseConfigFile(' \n', 'f'), {});
});

test('only a file that was asked for must exist', async () => {
  await assert.rejects(loadConfig(parseDaemonFlags(['--config-file', join(dir, 'none')])), /ENOENT/);
});

test('a switch may be given a value, and the last one counts', async () => {
  const init = async (...flags: string[]) => (await load(flags, {})).specDefaults.init;
  assert.deepEqual([await init('--init=T'), await init('--init=0', '--init')], [true, true]);
  assert.deepEqual([await init('--init=false'), await init('--init', '--init=F')], [false, false]);
  assert.throws(() => parseDaemonFlags(['--init=maybe']), {
    kind: 'invalid',
    message: 'invalid argument "maybe" for "--init" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  });
});

test('unknown flags, unknown addresses and tcp are refused', async () => {
  assert.throws(() => parseDaemonFlags(['--nope']), /--nope/);
  await assert.rejects(load(['-H', 'http://x'], {}), /invalid bind address/);
  await assert.rejects(load(['-H', 'tcp://0.0.0.0:2375'], {}), /TCP is not supported/);
  assert.throws(() => parseDaemonFlags(['--add-runtime', 'x']), /expected NAME=PATH/);
});

test('what is said of the end of containers', async () => {
  assert.equal((await load([], {})).defaultStopTimeout, 10);
  assert.equal((await load(['--default-stop-timeout', '3', '--live-restore'], {})).defaultStopTimeout, 3);
  assert.equal((await load([], { 'default-stop-timeout': -1, 'live-restore': true })).defaultStopTimeout, -1);
  assert.equal((await load(['--shutdown-timeout', '5'], {})).shutdownTimeout, 5);
  await assert.rejects(load([], { 'live-restore': false }), /live-restore: false is not supported/);
  assert.throws(() => parseDaemonFlags(['--default-stop-timeout', 'x']), /expected a whole number/);
});
