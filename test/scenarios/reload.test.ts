import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../support/both.ts';
import { create, eventually } from '../support/containers.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import type { Target } from '../support/target.ts';

// A daemon that reads its configuration again: what it says, what changes at once, what is refused.

interface Reloadable {
  readonly target: Target;
  /** Writes the configuration and has it read; gives the attributes of the event. */
  readonly reload: (config: object) => Promise<Record<string, string>>;
  /** The same for one that is refused: nothing is told. */
  readonly refused: (text: string) => Promise<void>;
}

interface Info {
  Debug: boolean;
  RegistryConfig: { Mirrors: string[]; InsecureRegistryCIDRs: string[]; IndexConfigs: Record<string, unknown> };
}

/** What a daemon said of its reloads, the oldest first. */
async function reloadsOf(target: Target): Promise<Record<string, string>[]> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['daemon'], event: ['reload'] }));
  const { text } = await target.api('GET', `/events?since=1&until=${Date.now() / 1000}&filters=${filters}`);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { Actor: { Attributes: Record<string, string> } }).Actor.Attributes);
}

async function withDaemon(engine: Target['name'], scenario: (daemon: Reloadable) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-reload-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dir, { recursive: true }));
  const file = join(dir, 'daemon.json');
  await writeFile(file, '{}');
  const flags = ['--config-file', file];
  let pid: number;
  let target: Target;
  if (engine === 'gantry') {
    const daemon = stack.use(await startGantry(flags));
    [target, pid] = [daemon, daemon.pid()];
  } else {
    const daemon = stack.use(await startDockerd({ extra: flags }));
    [target, pid] = [daemon, daemon.pid];
  }
  await importBusybox(target);
  const signal = async (text: string): Promise<void> => {
    await writeFile(file, text);
    process.kill(pid, 'SIGHUP');
  };
  let reloads = 0;
  const reload = async (config: object): Promise<Record<string, string>> => {
    await signal(JSON.stringify(config));
    reloads++;
    const told = await eventually('a reload', async () => {
      const all = await reloadsOf(target);
      return all.length === reloads && all;
    });
    return told.at(-1) ?? {};
  };
  await scenario({
    target,
    reload,
    refused: async (text) => {
      await signal(text);
      // Time enough to read it, before the next one that can be read.
      await sleep(200);
      await reload({});
    },
  });
}

const infoOf = async (target: Target): Promise<Info> => (await target.api('GET', '/info')).json<Info>();

/** How a container is made that says nothing. */
async function defaultsOf(target: Target): Promise<unknown[]> {
  await using c = await create(target, 'true');
  const { HostConfig } = await c.inspect();
  return [HostConfig['ShmSize'], HostConfig['IpcMode']];
}

const picked = (attributes: Record<string, string>, names: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(names.map((name) => [name, attributes[name]]));

for (const engine of ['gantry', 'dockerd'] as const) {
  test(`a configuration that is read again, on ${engine}`, () =>
    withDaemon(engine, async ({ target, reload, refused }) => {
      const first = await reload({});
      const { Name } = (await target.api('GET', '/info')).json<{ Name: string }>();
      const expected = {
        name: Name,
        debug: 'false',
        'default-ipc-mode': 'private',
        'default-shm-size': '67108864',
        'default-runtime': 'runc',
        'registry-mirrors': '[]',
        'insecure-registries': '[]',
        'max-concurrent-downloads': '3',
        'max-concurrent-uploads': '5',
      };
      assert.deepEqual(picked(first, Object.keys(expected)), expected);
      assert.match(first['runtimes'] ?? '', /(^| )runc:\S*runc( |$)/);

      assert.equal((await reload({ debug: true }))['debug'], 'true');
      assert.equal((await infoOf(target)).Debug, true);
      assert.equal((await reload({ debug: false }))['debug'], 'false');
      assert.equal((await infoOf(target)).Debug, false);

      const transfers = await reload({ 'max-concurrent-downloads': 7, 'max-concurrent-uploads': 1 });
      assert.deepEqual([transfers['max-concurrent-downloads'], transfers['max-concurrent-uploads']], ['7', '1']);
      assert.equal((await reload({ 'shutdown-timeout': 4 }))['shutdown-timeout'], '4');

      const registries = { 'registry-mirrors': ['https://m.example'], 'insecure-registries': ['r.example:5000'] };
      const told = await reload(registries);
      for (const [name, list] of Object.entries(registries)) assert.equal(told[name], JSON.stringify(list));
      const { Mirrors, IndexConfigs } = (await infoOf(target)).RegistryConfig;
      assert.deepEqual(Mirrors, ['https://m.example/']);
      assert.ok('r.example:5000' in IndexConfigs);

      const modes = await reload({ 'default-shm-size': '32M', 'default-ipc-mode': 'shareable' });
      assert.deepEqual([modes['default-shm-size'], modes['default-ipc-mode']], ['33554432', 'shareable']);
      assert.deepEqual(await defaultsOf(target), [33_554_432, 'shareable']);

      for (const text of [
        '{',
        '[]',
        '{"debug":"x"}',
        '{"nosuch":1}',
        '{"max-concurrent-downloads":-1}',
        '{"registry-mirrors":["x"]}',
      ]) {
        await refused(text);
      }
      assert.equal((await infoOf(target)).Debug, false);
    }));
}
