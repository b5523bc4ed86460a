import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { mountPoints } from '../../src/kernel/mount-points.ts';
import { importBusybox } from '../support/both.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { killAtEveryStep, type Operation } from '../support/kill-at-every-step.ts';
import { command } from '../support/target.ts';
import { assertNoTraces, cgroupParent } from '../support/traces.ts';

/** A directory of the host that a volume is a bind of; below it a file system of its own, and all is shared with where it is bound to. */
let own: string;

const MOUNTS = [
  { Type: 'volume', Source: 'in-memory', Target: '/t' },
  { Type: 'volume', Source: 'bound', Target: '/b' },
  { Type: 'volume', Source: 'bound', Target: '/part', VolumeOptions: { Subpath: 'part' } },
];

async function create(engine: TestEngine, over: object = {}): Promise<{ status: number; id: string }> {
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'],
    HostConfig: { CgroupParent: cgroupParent(engine), Mounts: MOUNTS },
    ...over,
  };
  const { status, text } = await engine.api('POST', '/v1.45/containers/create', body);
  assert.equal(status, 201, text);
  return { status, id: (JSON.parse(text) as { Id: string }).Id };
}

async function start(engine: TestEngine, id: string): Promise<number> {
  const { status, text } = await engine.api('POST', `/containers/${id}/start`);
  assert.equal(status, 204, text);
  return status;
}

async function running(engine: TestEngine): Promise<string> {
  const { id } = await create(engine);
  await start(engine, id);
  return id;
}

/** Mounted is what a container that runs uses, and nothing else; what is the host's is all there. */
async function mountsAreRight(engine: TestEngine): Promise<void> {
  const list = (await engine.api('GET', '/containers/json')).json<{ Id: string }[]>();
  const mounted = (await mountPoints(join(engine.dataRoot, 'volumes'))).toSorted();
  const data = (name: string, ...path: string[]) => join(engine.dataRoot, 'volumes', name, '_data', ...path);
  const expected = [data('bound'), data('bound', 'part'), data('in-memory')];
  assert.deepEqual(mounted, list.length > 0 ? expected : []);
  for (const { Id } of list) {
    const { code, stderr } = await engine.docker(['exec', Id, 'sh', '-c', 'cat /b/f /b/part/f /part/f && touch /t/x']);
    assert.equal(code, 0, stderr);
  }
  hostIsWhole();
}

function hostIsWhole(): void {
  assert.equal(readFileSync(join(own, 'f'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(own, 'part/f'), 'utf8'), 'mine, below');
}

async function onlyAnonymous(engine: TestEngine): Promise<void> {
  const { Volumes } = (await engine.api('GET', '/volumes')).json<{ Volumes: { Name: string }[] }>();
  const list = (await engine.api('GET', '/containers/json?all=1')).json<{ Mounts: { Name: string }[] }[]>();
  const used = list.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name));
  const lost = Volumes.map(({ Name }) => Name).filter((name) => name.length === 64 && !used.includes(name));
  assert.deepEqual(lost, [], 'no volume is left of a container that is gone');
  for (const name of used) assert.equal((await engine.api('GET', `/volumes/${name}`)).status, 200);
}

const operations: Record<string, Operation> = {
  'all the life of a container': {
    run: async (engine) => {
      const id = await running(engine);
      assert.equal((await engine.api('POST', `/containers/${id}/stop`)).status, 204);
      await start(engine, id);
      return (await engine.api('DELETE', `/containers/${id}?force=1`)).status;
    },
    check: mountsAreRight,
  },
  'rm -v of volumes without a name': {
    prepare: async (engine) =>
      (await create(engine, { Volumes: { '/bin': {}, '/x': {}, '/y': {} }, HostConfig: {} })).id,
    run: async (engine, id) => (await engine.api('DELETE', `/containers/${id}?v=1`)).status,
    check: onlyAnonymous,
  },
};

describe('a daemon killed at every step, with volumes that are mounted:', () => {
  let engine: TestEngine;
  before(async () => {
    own = await mkdtemp(join(tmpdir(), 'gantry-own-'));
    await host('mount', '--bind', own, own);
    await host('mount', '--make-rshared', own);
    mkdirSync(join(own, 'part'));
    await host('mount', '-t', 'tmpfs', 'tmpfs', join(own, 'part'));
    writeFileSync(join(own, 'f'), 'mine');
    writeFileSync(join(own, 'part/f'), 'mine, below');
    engine = await startGantry();
    await importBusybox(engine);
    const volume = async (Name: string, DriverOpts: object) =>
      assert.equal((await engine.api('POST', '/volumes/create', { Name, DriverOpts })).status, 201);
    await volume('in-memory', { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' });
    await volume('bound', { type: 'none', device: own, o: 'rbind' });
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    hostIsWhole();
    await host('umount', '-l', own);
    await rm(own, { recursive: true });
  });

  for (const [name, operation] of Object.entries(operations)) test(name, () => killAtEveryStep(engine, operation, 14));

  test('nothing is left in the end', () => assertNoTraces(engine));
});

async function host(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await command(program, args);
  assert.equal(code, 0, stderr);
}
