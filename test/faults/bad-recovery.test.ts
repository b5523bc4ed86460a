import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { hijack } from '../support/hijack.ts';
import { assertNoTraces, cgroupParent } from '../support/traces.ts';

const SLEEP = 'exec sleep 1000';

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const state = async (c: Made) => (await c.inspect()).State;

/** Replaces what a row says of its container, while no engine runs; gives what it said. */
function spoil({ dataRoot }: TestEngine, id: string, spec: string): string {
  const db = new DatabaseSync(join(dataRoot, 'meta.db'));
  try {
    const old = db.prepare('SELECT spec FROM containers WHERE id = ?').get(id);
    db.prepare('UPDATE containers SET spec = ? WHERE id = ?').run(spec, id);
    return String(old?.['spec']);
  } finally {
    db.close();
  }
}

/** Whether a process is gone, or has ended and nobody asked how. */
const isGone = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (stat) => / Z /.test(stat),
    () => true,
  );

describe('an engine that finds a container in a bad way starts, and has it settled', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  const start = (script: string, over: object = {}): Promise<Made> =>
    run(engine, script, { ...over, HostConfig: { CgroupParent: cgroupParent(engine) } });
  const recordOf = (c: Made, name: string): string => join(engine.execRoot, 'bundles', c.id, name);
  const pipesOf = async (c: Made): Promise<Record<string, string>> =>
    JSON.parse(await readFile(recordOf(c, 'io.json'), 'utf8')) as Record<string, string>;
  const again = async (): Promise<void> => {
    await engine.crash();
    await engine.start();
  };

  test('the last one was killed while it removed the pipes of an ended process', async () => {
    await using c = await start(SLEEP, { OpenStdin: true });
    const { Pid } = await state(c);
    await engine.crash();
    await rm((await pipesOf(c))['stdin'] ?? '');
    process.kill(await parentOf(Pid), 'SIGKILL');
    process.kill(Pid, 'SIGKILL');
    await engine.start();
    await again();
    const { Status, ExitCode } = await state(c);
    assert.deepEqual([Status, ExitCode], ['exited', 255]);
    assert.equal((await engine.api('POST', `${c.path}/start`)).status, 204, 'it can be started');
  });

  test('the pipes of a running process are gone: it runs, and can be stopped', async () => {
    await using c = await start(SLEEP, { OpenStdin: true });
    const { Pid } = await state(c);
    const paths = Object.values(await pipesOf(c));
    await engine.crash();
    for (const path of paths) await rm(path);
    await engine.start();
    assert.equal((await state(c)).Pid, Pid);
    assert.equal((await engine.api('POST', `${c.path}/stop?t=0`)).status, 204);
    assert.equal((await state(c)).Status, 'exited');
    assert.equal(await isGone(Pid), true);
  });

  test('it cannot be told which pipes a process has: that one is ended, its neighbour goes on', async () => {
    await using bad = await start(SLEEP);
    await using good = await start(SLEEP);
    const pids = await Promise.all([bad, good].map(async (c) => (await state(c)).Pid));
    await engine.crash();
    await writeFile(recordOf(bad, 'io.json'), '{"stdin":');
    await engine.start();
    const { Status, ExitCode } = await state(bad);
    assert.deepEqual([Status, ExitCode], ['exited', 137]);
    await eventually('its process is gone', () => isGone(pids[0] ?? 0));
    assert.equal((await state(good)).Pid, pids[1]);
    const told = engine
      .log()
      .split('\n')
      .filter((line) => line.includes('could not be taken over'));
    assert.equal(told.length, 1, 'it is told once');
  });

  test('a row cannot be read: its container is left alone until it can be', async () => {
    await using bad = await start(`read line; echo "got $line"; ${SLEEP}`, { OpenStdin: true });
    await using good = await start(SLEEP);
    const { Pid } = await state(bad);
    await engine.crash();
    const spec = spoil(engine, bad.id, '{');
    await engine.start();
    assert.equal((await state(good)).Status, 'running');
    assert.equal((await engine.api('GET', `${bad.path}/json`)).status, 404);
    await engine.crash();
    spoil(engine, bad.id, spec);
    await engine.start();
    assert.equal((await state(bad)).Pid, Pid);
    using attached = await hijack(engine, `${bad.path}/attach?stream=1&stdin=1&stdout=1`);
    attached.socket.write('word\n');
    await attached.until((bytes) => bytes.includes('got word'));
  });

  test('nothing is left', () => assertNoTraces(engine));
});
