import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { type CommandResult, command } from '../support/target.ts';
import { assertNoTraces, cgroupParent, processes } from '../support/traces.ts';

/** A directory that is gone at the end of its scope. */
async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'gantry-host-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An environment in which some host tools are not installed. */
async function without(dir: string, ...tools: string[]): Promise<NodeJS.ProcessEnv> {
  const bin = join(dir, 'bin');
  await rm(bin, { recursive: true, force: true });
  await mkdir(bin);
  await command('sh', ['-c', 'ln -sf -t "$0" /usr/sbin/* /usr/bin/* /sbin/* /bin/*', bin]);
  for (const tool of tools) await rm(join(bin, tool));
  return { ...process.env, PATH: bin };
}

/** The bridges of an engine that does not run, found by its id. */
async function bridgesOf(dir: string): Promise<string[]> {
  using db = new DatabaseSync(join(dir, 'data', 'meta.db'), { readOnly: true });
  const id = String(db.prepare("SELECT value FROM facts WHERE key = 'engine-id'").get()?.['value']);
  const tag = createHash('sha256').update(id).digest('hex').slice(0, 6);
  return (await readdir('/sys/class/net')).filter((name) => name.startsWith('gtry') && name.endsWith(tag));
}

/** Starts a daemon that is expected to give up. */
function failing(
  dir: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  const roots = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')];
  const all = [PROGRAM, 'daemon', ...roots, '-H', `unix://${join(dir, 'sock')}`, ...args];
  return command(process.execPath, all, { timeout: 15_000 }, env);
}

describe('a host where something is missing', () => {
  test('a start without a tool says so, and the next one with it leaves nothing', async () => {
    await using dir = await temporary();
    for (const tool of ['ip', 'nft', 'bash', 'mkfifo']) {
      const { code, stderr } = await failing(dir.path, [], await without(dir.path, tool));
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`failed to start the engine: the host tool "${tool}" is not installed`));
      assert.deepEqual(await bridgesOf(dir.path), [], `${tool}: no bridge stays`);
    }
    await using engine = await startGantry([], { dir: dir.path });
    await assertNoTraces(engine);
  });

  test('without shim and tar the calls that need them say so', async () => {
    await using dir = await temporary();
    const env = await without(dir.path, 'containerd-shim-runc-v2');
    await using engine = await startGantry([], { dir: dir.path, env });
    await importBusybox(engine);
    const made = await create(engine, 'true');
    const { status, text } = await engine.api('POST', `${made.path}/start`);
    assert.equal(status, 503, text);
    assert.match(text, /the host tool \\"containerd-shim-runc-v2\\" is not installed/);
    assert.equal((await made.inspect()).State.Status, 'created');
    const archive = join(dir.path, 'other.tar');
    assert.equal((await command('tar', ['-C', '/etc', '-cf', archive, 'passwd'])).code, 0);
    await rm(join(dir.path, 'bin', 'tar'));
    const imported = await engine.docker(['import', archive, 'other']);
    assert.notEqual(imported.code, 0);
    assert.match(imported.stderr, /the host tool "tar" is not installed/);
    await assertNoTraces(engine);
  });

  test('a configuration that is none, a data root that cannot be written', async () => {
    await using dir = await temporary();
    const config = join(dir.path, 'daemon.json');
    for (const [text, says] of [
      ['{"debug": tru', /daemon\.json: .*JSON/],
      ['{"debgu": true}', /directives don't match any configuration option: debgu/],
      ['{"debug": "yes"}', /debug: /],
    ] as const) {
      await writeFile(config, text);
      const { code, stderr } = await failing(dir.path, ['--config-file', config]);
      assert.equal(code, 1);
      assert.match(stderr, says);
    }
    const data = join(dir.path, 'data');
    await mkdir(data);
    assert.equal((await command('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', data])).code, 0);
    try {
      const { code, stderr } = await failing(dir.path);
      assert.equal(code, 1);
      assert.match(stderr, /\/data cannot be written to: read-only file system/);
    } finally {
      await command('umount', [data]);
    }
  });
});

describe('a host where something breaks', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry(['--add-runtime', 'bad=/bin/false']);
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  const start = (script: string, hostConfig: object = {}): Promise<Made> =>
    run(engine, script, { HostConfig: { CgroupParent: cgroupParent(engine), ...hostConfig } });

  test('a runtime that fails', async () => {
    const made = await create(engine, 'true', { HostConfig: { Runtime: 'bad', CgroupParent: cgroupParent(engine) } });
    const { status, text } = await engine.api('POST', `${made.path}/start`);
    assert.equal(status, 500, text);
    const { State } = await made.inspect();
    assert.deepEqual([State.Status, State.ExitCode, State.Running], ['created', 128, false]);
    assert.notEqual(State.Error, '');
    await made[Symbol.asyncDispose]();
    await using good = await start('exit 3');
    assert.equal(await good.wait(), 3);
  });

  test('a start that cannot be undone either says why it failed, and the log the rest', async () => {
    const Devices = [{ PathOnHost: '/dev/nope', PathInContainer: '/dev/nope', CgroupPermissions: 'rwm' }];
    await using made = await create(engine, 'true', { HostConfig: { Devices } });
    const plain = (await engine.api('POST', `${made.path}/start`)).text;
    assert.match(plain, /error gathering device information/);
    const stray = join(engine.execRoot, 'bundles', made.id, 'stray');
    await mkdir(join(stray, 'deep', 'deeper'), { recursive: true });
    const { status, text } = await engine.api('POST', `${made.path}/start`);
    assert.deepEqual([status, text], [400, plain]);
    const logged = engine
      .log()
      .split('\n')
      .filter((line) => line.includes('a start that failed was not undone'));
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', new RegExp(`ENOTEMPTY: .*${stray}`));
    await rm(stray, { recursive: true });
  });

  test('a shim that is killed takes its containers along, and no others', async () => {
    const made = await Promise.all([1, 2, 3, 4].map((n) => start(`echo ${n}; sleep 1000`)));
    const [shim = ''] = processes(engine, /containerd-shim/);
    process.kill(Number.parseInt(shim, 10), 'SIGKILL');
    const states = async () => await Promise.all(made.map(async (it) => (await it.inspect()).State));
    const ended = await eventually('the end of some', async () => {
      const now = await states();
      return now.some((state) => !state.Running) && now;
    });
    const lost = ended.filter((state) => !state.Running).length;
    await eventually('the end of half of them', async () => (await states()).filter((it) => !it.Running).length === 2);
    assert.ok(lost <= 2);
    for (const state of await states()) {
      if (state.Running) process.kill(state.Pid, 0);
      else assert.ok([255, 137].includes(state.ExitCode), `${state.ExitCode}`);
    }
    // Another shim takes its place.
    await using next = await start('exit 6');
    assert.equal(await next.wait(), 6);
    for (const it of made) await it[Symbol.asyncDispose]();
  });

  test('a shim that is killed while no daemon runs', async () => {
    const made = await Promise.all([1, 2].map((n) => start(`echo ${n}; sleep 1000`)));
    // What a shim has read and not passed on goes with it.
    const printed = async (it: Made) => (await engine.docker(['logs', it.id])).stdout !== '';
    for (const it of made) await eventually('output', () => printed(it));
    await engine.crash();
    for (const shim of processes(engine, /containerd-shim/)) process.kill(Number.parseInt(shim, 10), 'SIGKILL');
    await engine.start();
    for (const it of made) {
      assert.equal(await it.wait(), 255);
      assert.match((await engine.docker(['logs', it.id])).stdout, /^[12]\n$/);
      await it[Symbol.asyncDispose]();
    }
  });

  test('a keeper that is killed', async () => {
    const [keeper = ''] = processes(engine, /gantry-keeper/);
    process.kill(Number.parseInt(keeper, 10), 'SIGKILL');
    await using made = await start('read x; echo last; exit 2', {});
    assert.equal(await made.wait(), 2);
    await engine.crash();
    await engine.start();
    assert.equal((await engine.docker(['logs', made.id])).stdout, 'last\n');
    assert.equal(processes(engine, /gantry-keeper/).length, 1);
  });

  test('a second daemon on the same root is refused, and the first goes on', async () => {
    const roots = ['--data-root', engine.dataRoot, '--exec-root', engine.execRoot, '-H', `unix://${engine.socket}`];
    const same = await command(process.execPath, [PROGRAM, 'daemon', ...roots], { timeout: 15_000 });
    assert.equal(same.code, 1);
    assert.match(same.stderr, /pid file found, ensure the engine is not running or delete/);
    await using dir = await temporary();
    const other = await failing(dir.path, ['--data-root', engine.dataRoot]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /another engine is using .*meta\.db/);
    assert.equal((await engine.api('GET', '/_ping')).status, 200);
  });

  test('a stale pid file and socket are in nobody’s way', async () => {
    await engine.crash();
    const pidfile = join(engine.execRoot, 'gantry.pid');
    assert.match(await readFile(pidfile, 'utf8'), /^\d+$/);
    // Somebody else has the number by now.
    await writeFile(pidfile, `${process.pid}`);
    await engine.start();
    assert.equal(await readFile(pidfile, 'utf8'), `${engine.pid()}`);
  });

  test('nothing is left', () => assertNoTraces(engine));
});
