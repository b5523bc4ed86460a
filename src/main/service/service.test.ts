import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runService, type ServiceHost } from './service.ts';

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

async function service(words: readonly string[], over: Partial<ServiceHost> = {}): Promise<Outcome> {
  const calls: string[] = [];
  const said: string[] = [];
  let asked = 0;
  const host: ServiceHost = {
    units: dir,
    booted: dir,
    root: true,
    command: ['/opt/gantry/gantry', 'daemon'],
    // It answers a moment after its start.
    engineRuns: async () => calls.includes('restart gantry.service') && asked++ > 0,
    systemctl: async (...args) => {
      calls.push(args.join(' '));
      return { code: 0, stdout: '', stderr: '' };
    },
    ...over,
  };
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
  const none = await service(['status']);
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
