import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Exit, Task, TaskState } from '../../kernel/shim/shim-pool.ts';
import type { ContainerRow } from '../../store/containers.ts';
import { internal, unavailable } from '../../util/errors.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import { openLog } from '../../util/log.ts';
import { openExecs } from '../execs/execs.ts';
import { testContainer } from '../runtime-spec/test-container.ts';
import type { Parts } from './parts.ts';
import { recoverContainers } from './recover.ts';
import { Registry } from './registry.ts';
import { toRow } from './stored.ts';

const KILLED: Exit = { status: 137, at: '2026-01-02T00:00:00Z' };
const RUNS: TaskState = { status: 'running', pid: 42, exit: { status: 0, at: '' } };

/** A task that runs until it is killed, in all that a test does not say otherwise. */
function fakeTask(id: string, over: Partial<Task> = {}): Task {
  const end = Promise.withResolvers<Exit>();
  const task = {
    id,
    shim: 'unix:///shim',
    pid: 42,
    state: async () => RUNS,
    wait: () => end.promise,
    killAll: async () => end.resolve(KILLED),
    delete: async () => KILLED,
  };
  return { ...task, ...over } as unknown as Task;
}

const pipe = { onData: () => {}, pause: () => {}, resume: () => {}, drain: () => {}, close: () => {} };

/**
 * An engine as a killed one left it: the rows of these containers say that they run, the first of them `spoilt`, and what `tasks` has
 * a shim holds.
 */
async function leftBehind(
  ids: readonly string[],
  tasks: Record<string, () => Promise<Task | undefined>>,
  spoilt: Partial<ContainerRow> = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-recover-'));
  const at = (name: string) => join(dir, name);
  const registry = new Registry();
  const running = { ...testContainer().state, status: 'running' as const, startedAt: '2026-01-01T00:00:00Z' };
  const rows = ids.map((id) => toRow({ ...testContainer(), id, name: `name-${id}`, state: running }));
  if (rows[0] !== undefined) Object.assign(rows[0], spoilt);
  for (const id of ids) {
    for (const home of ['bundles', 'containers']) await mkdir(join(at(home), id), { recursive: true });
    await writeFile(join(at('bundles'), id, 'io.json'), JSON.stringify({ stdin: '', stdout: at('out'), stderr: '' }));
  }
  const errors: string[] = [];
  const reaped: string[] = [];
  const kept: string[] = [];
  const parts = {
    registry,
    rows: { all: () => rows, saveState: () => {} },
    shims: { adopt: (id: string) => tasks[id]?.() ?? Promise.resolve(undefined) },
    networks: { recover: async () => {}, leave: async () => {}, sandbox: () => undefined },
    volumes: { recover: async () => {}, leave: async () => {} },
    io: {
      reopen: async (paths: object) => ({
        paths,
        stdout: pipe,
        stderr: undefined,
        stdin: undefined,
        release: () => {},
      }),
      sweep: async (inUse: ReadonlySet<string>) => void kept.push(...inUse),
    },
    events: { emit: () => {} },
    restarts: { begin: () => {}, schedule: () => {} },
    health: { resume: () => {}, stop: () => {} },
    locks: new KeyedLock(),
    host: { cgroup: { version: 1, mounts: {} }, cgroupParent: '' },
    reap: async (id: string) => void reaped.push(id),
    leaving: new AbortController().signal,
    defaults: {},
    paths: { containers: at('containers'), bundles: at('bundles'), execs: at('execs'), init: '', scratch: '' },
    log: openLog('error', (line) => errors.push((JSON.parse(line) as { container: string }).container)),
  } as unknown as Parts;
  return {
    parts,
    dir,
    errors,
    reaped,
    kept,
    recover: () => recoverContainers(parts, openExecs(parts)),
    stateOf: (id: string) => {
      const state = registry.byId(id)?.container.state;
      return [state?.status, state?.exitCode];
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

test('one that a shim does not speak of is ended, and the others go on', async () => {
  await using it = await leftBehind(['mute', 'dying', 'well'], {
    mute: () => Promise.reject(internal('no state of it')),
    dying: async () => fakeTask('dying', { state: () => Promise.reject(unavailable('lost the connection')) }),
    well: async () => fakeTask('well'),
  });
  await it.recover();
  assert.deepEqual(it.stateOf('well'), ['running', 0]);
  for (const id of ['mute', 'dying']) assert.deepEqual(it.stateOf(id), ['exited', 255]);
  assert.deepEqual(it.errors.toSorted(), ['dying', 'mute'], 'each is told once');
  assert.deepEqual(it.reaped.toSorted(), ['dying', 'mute']);
  assert.deepEqual(await readdir(it.parts.paths.bundles), ['well']);
});

test('one whose record is broken is ended, whether or not it runs', async () => {
  await using it = await leftBehind(['held', 'lost', 'ended', 'well'], {
    held: async () => fakeTask('held'),
    ended: async () =>
      fakeTask('ended', { state: async () => ({ ...RUNS, status: 'stopped', exit: { status: 7, at: KILLED.at } }) }),
    well: async () => fakeTask('well'),
  });
  for (const id of ['held', 'lost', 'ended']) await writeFile(join(it.parts.paths.bundles, id, 'io.json'), '{');
  await it.recover();
  assert.deepEqual(it.stateOf('well'), ['running', 0]);
  assert.deepEqual(it.stateOf('held'), ['exited', 137], 'it was killed');
  assert.deepEqual(it.stateOf('ended'), ['exited', 7], 'how it ended is known');
  assert.deepEqual(it.stateOf('lost'), ['exited', 255]);
});

test('what the engine lacks ends no container: a full disk is told, and without descriptors it does not start', async () => {
  const untouched = () => assert.fail('its task is let be');
  const well = async () => fakeTask('well', { killAll: untouched, delete: untouched });
  await using it = await leftBehind(['well'], { well });
  it.parts.rows.saveState = () => {
    throw new Error('database or disk is full');
  };
  await it.recover();
  assert.deepEqual([it.stateOf('well'), it.errors], [['running', 0], ['well']]);
  await using poor = await leftBehind(['well'], { well });
  poor.parts.io.reopen = () => Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' }));
  await assert.rejects(poor.recover(), { code: 'EMFILE' });
});

test('one that cannot be taken apart is settled all the same', async () => {
  await using it = await leftBehind(['stuck', 'well'], { well: async () => fakeTask('well') });
  const reap = () => Promise.reject(internal('a left-over process cannot be killed'));
  await recoverContainers({ ...it.parts, reap }, openExecs(it.parts));
  assert.deepEqual(
    [it.stateOf('stuck'), it.stateOf('well')],
    [
      ['exited', 255],
      ['running', 0],
    ],
  );
});

test('one whose row cannot be read is left alone with all it has, and the others go on', async () => {
  for (const spoilt of [{ spec: '{' }, { spec: '{}' }, { state: '' }, { name: '?' }]) {
    const untouched = () => assert.fail('its task is let be');
    const task = fakeTask('spoilt', { killAll: untouched, delete: untouched });
    const tasks = { spoilt: async () => task, well: async () => fakeTask('well') };
    await using it = await leftBehind(['spoilt', 'well'], tasks, { ...spoilt, image: 'sha256:its' });
    await it.recover();
    assert.deepEqual(it.parts.registry.usersOf('sha256:its').running, ['spoilt']);
    assert.deepEqual(it.stateOf('well'), ['running', 0]);
    assert.deepEqual(it.errors, ['spoilt'], JSON.stringify(spoilt));
    for (const home of ['bundles', 'containers'] as const) {
      assert.deepEqual(await readdir(it.parts.paths[home]), ['spoilt', 'well']);
    }
    assert.deepEqual([it.reaped, it.kept.includes(join(it.dir, 'out'))], [[], true]);
  }
});
