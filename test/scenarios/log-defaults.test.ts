import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { logOptions } from '../support/logged.ts';
import type { Target } from '../support/target.ts';

// What containers get of the daemon's own log driver and options.

const ADDRESS = 'udp://127.0.0.1:9';
const DEFAULTS = { 'syslog-address': ADDRESS, tag: 'default', 'cache-max-size': '1m', mode: 'non-blocking' };
const FLAGS = ['--log-driver', 'syslog', ...logOptions(DEFAULTS)];

const CASES: [asked: object | undefined, got: object][] = [
  [undefined, { Type: 'syslog', Config: DEFAULTS }],
  [{}, { Type: 'syslog', Config: DEFAULTS }],
  [{ Type: '' }, { Type: 'syslog', Config: DEFAULTS }],
  [{ Config: { tag: 'own' } }, { Type: 'syslog', Config: { ...DEFAULTS, tag: 'own' } }],
  [
    { Type: 'syslog', Config: { mode: '' } },
    { Type: 'syslog', Config: { ...DEFAULTS, mode: '' } },
  ],
  [
    { Type: 'json-file', Config: {} },
    { Type: 'json-file', Config: { 'cache-max-size': '1m' } },
  ],
  [{ Type: 'local' }, { Type: 'local', Config: { 'cache-max-size': '1m' } }],
  [{ Type: 'none' }, { Type: 'none', Config: { 'cache-max-size': '1m' } }],
  [
    { Type: 'gelf', Config: { 'gelf-address': ADDRESS, 'cache-max-size': '2m' } },
    { Type: 'gelf', Config: { 'gelf-address': ADDRESS, 'cache-max-size': '2m' } },
  ],
];

async function logConfig(target: Target, LogConfig: object | undefined): Promise<unknown> {
  const made = await target.api('POST', '/containers/create', { Image: 'busybox', HostConfig: { LogConfig } });
  assert.equal(made.status, 201, made.text);
  const path = `/containers/${made.json<{ Id: string }>().Id}`;
  const { HostConfig } = (await target.api('GET', `${path}/json`)).json<{ HostConfig: { LogConfig: unknown } }>();
  await target.api('DELETE', path);
  return HostConfig.LogConfig;
}

for (const engine of ['gantry', 'dockerd'] as const) {
  test(`a container's options are completed by the daemon's, on ${engine}`, async () => {
    await using target = engine === 'gantry' ? await startGantry(FLAGS) : await startDockerd({ extra: FLAGS });
    await importBusybox(target);
    for (const [asked, got] of CASES) assert.deepEqual(await logConfig(target, asked), got);
    const refused = await target.api('POST', '/containers/create', {
      Image: 'busybox',
      HostConfig: { LogConfig: { Config: { 'max-size': '1m' } } },
    });
    assert.equal(refused.json<{ message: string }>().message, "unknown log opt 'max-size' for syslog log driver");
    const info = (await target.api('GET', '/info')).json<{ LoggingDriver: string; Plugins: { Log: string[] } }>();
    assert.equal(info.LoggingDriver, 'syslog');
    for (const name of ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'syslog'])
      assert.ok(info.Plugins.Log.includes(name), name);
  });
}
