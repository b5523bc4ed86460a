import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runService, type ServiceHost, startService } from './service.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-service-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Outcome {
  status: number;
  said: string;
  calls: string[];
}

/** A host whose engine answers a moment after systemd was told to start it, with the calls that systemd got. */
function testHost(over: Partial<ServiceHost> = {}): { host: ServiceHost; calls: string[] } {
  const calls: string[] = [];
  let asked = 0;
  const host: ServiceHost = {
    units: dir,
    booted: dir,
    root: true,
    command: ['/opt/gantry/gantry', 'daemon'],
    engineRuns: async () => calls.some((call) => /^(re)?start /.test(call)) && asked++ > 0,
    systemctl: async (...args) => {
      calls.push(args.join(' '));
      return { code: 0, stdout: args[0] === 'is-enabled' ? 'enabled\n' : '', stderr: '' };
    },
    ...over,
  };
  return { host, calls };
}

async function service(words: readonly string[], over: Partial<ServiceHost> = {}): Promise<Outcome> {
  const { host, calls } = testHost(over);
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const status = await runService(words, host, say, say);
  return { status, said: said.join('\n'), calls };
}

const unit = (): string => join(dir, 'gantry.service');

test('install writes, enables and starts the unit; uninstall takes it away', async () => {
  const installed = await service(['install']);
  assert.equal(installed.status, 0);
  assert.deepEqual(installed.calls, [
    'daemon-reload',
    'enable gantry.service',
    'is-active gantry.service',
    'restart gantry.service',
  ]);
  assert.match(readFileSync(unit(), 'utf8'), /^ExecStart=\/opt\/gantry\/gantry daemon$/m);
  const removed = await service(['uninstall']);
  assert.deepEqual(removed.calls, ['disable --now gantry.service', 'daemon-reload']);
  assert.equal(existsSync(unit()), false);
  const again = await service(['uninstall']);
  assert.deepEqual([again.status, again.said], [1, `${unit()} is not there: nothing is installed`]);
});

test('an engine that was started otherwise is left alone', async () => {
  const { calls, said } = await service(['install'], { engineRuns: async () => true });
  assert.equal(calls.includes('restart gantry.service'), false);
  assert.match(said, /systemctl start gantry/);
});

test('status says what there is', async () => {
  const systemctlOfNone = async () => ({ code: 1, stdout: '', stderr: '' });
  const none = await service(['status'], { systemctl: systemctlOfNone });
  assert.deepEqual([none.status, none.said], [3, 'Installed: no\nEnabled: no\nActive: no']);
  await service(['install']);
  const answers: Record<string, string> = { 'is-enabled': 'enabled\n', 'is-active': 'active\n' };
  const systemctl: ServiceHost['systemctl'] = async (verb) => ({
    code: 0,
    stdout: answers[verb ?? ''] ?? '',
    stderr: '',
  });
  const all = await service(['status'], { systemctl });
  assert.deepEqual([all.status, all.said], [0, `Installed: ${unit()}\nEnabled: enabled\nActive: active`]);
});

test('a service that is installed and enabled is started, and waited for; any other is left alone', async () => {
  const missing = testHost();
  assert.deepEqual([await startService(missing.host), missing.calls], [false, []]);
  await service(['install']);
  const enabled = testHost();
  assert.equal(await startService(enabled.host), true);
  assert.deepEqual(enabled.calls, ['is-enabled gantry.service', 'start gantry.service']);
  const disabled = testHost({ systemctl: async () => ({ code: 1, stdout: 'disabled\n', stderr: '' }) });
  assert.equal(await startService(disabled.host), false);
  assert.equal(await startService(testHost({ booted: join(dir, 'none') }).host), false);
  const failing: ServiceHost['systemctl'] = async (verb) =>
    verb === 'start'
      ? { code: 1, stdout: '', stderr: 'Start request repeated too quickly.\n' }
      : { code: 0, stdout: 'enabled\n', stderr: '' };
  const message = 'systemctl start gantry.service failed: Start request repeated too quickly.';
  await assert.rejects(startService(testHost({ systemctl: failing }).host), { kind: 'unavailable', message });
});

test('what cannot be done says why', async () => {
  const noSystemd = await service(['install'], { booted: join(dir, 'none') });
  assert.equal(noSystemd.status, 1);
  assert.match(noSystemd.said, /^systemd does not run on this host .*"\/opt\/gantry\/gantry daemon" as root$/);
  assert.match((await service(['install'], { root: false })).said, /^only root/);
  assert.match((await service(['reinstall'])).said, /^unknown command: gantry service reinstall/);
  assert.match((await service(['status', 'now'])).said, /accepts no arguments/);
  const failing: ServiceHost['systemctl'] = async () => ({ code: 1, stdout: '', stderr: 'Access denied\n' });
  const failed = await service(['install'], { systemctl: failing });
  assert.deepEqual([failed.status, failed.said], [1, 'systemctl daemon-reload failed: Access denied']);
});

test('help', async () => {
  for (const words of [[], ['--help'], ['install', '--help']]) {
    const { status, said, calls } = await service(words);
    assert.deepEqual([status, calls], [0, []]);
    assert.match(said, /^Usage: {2}gantry service COMMAND/);
  }
});
