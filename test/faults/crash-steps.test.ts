import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../support/both.ts';
import { busyboxArchive } from '../support/busybox-archive.ts';
import { eventually } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { killAtEveryStep, type Operation, ROUNDS } from '../support/kill-at-every-step.ts';
import { command } from '../support/target.ts';
import { assertCleared, assertNoTraces, cgroupParent } from '../support/traces.ts';

let archive: Buffer;
let saved: Buffer;

const operations: Record<string, Operation> = {
  create: { run: async (engine) => (await create(engine, 'true')).status },
  'create with a volume of its own': {
    run: async (engine) => (await createWith(engine, { Volumes: { '/etc': {} } })).status,
    check: volumesAreWhole,
  },
  start: {
    prepare: async (engine) => (await create(engine, 'echo hello; sleep 1000')).id,
    run: async (engine, id) => (await engine.api('POST', `/containers/${id}/start`)).status,
  },
  'a container that ends at once': {
    prepare: async (engine) => (await create(engine, 'echo hello; exit 3')).id,
    run: async (engine, id) => {
      await engine.api('POST', `/containers/${id}/start`);
      return (await engine.api('POST', `/containers/${id}/wait`)).status;
    },
    check: async (engine) => {
      const list = (await engine.api('GET', '/containers/json?all=1')).json<{ Id: string; State: string }[]>();
      const [only] = list;
      const state = (await engine.api('GET', `/containers/${only?.Id}/json`)).json<{ State: { ExitCode: number } }>();
      if (only?.State === 'exited') assert.equal(state.State.ExitCode, 3, 'its exit code is known');
    },
  },
  stop: {
    prepare: (engine) => running(engine, 'trap "exit 4" TERM; while :; do sleep 0.02; done'),
    run: async (engine, id) => (await engine.api('POST', `/containers/${id}/stop`)).status,
  },
  restart: {
    prepare: (engine) => running(engine, 'trap "exit 4" TERM; while :; do sleep 0.02; done'),
    run: async (engine, id) => (await engine.api('POST', `/containers/${id}/restart`)).status,
    check: async (engine) => {
      const { State } = await onlyOne(engine);
      // The second half may be missing: then it has ended as it was asked to.
      assert.ok(State.Running || State.ExitCode === 4, JSON.stringify(State));
    },
  },
  'pause and unpause': {
    prepare: (engine) => running(engine, 'exec sleep 1000'),
    run: async (engine, id) => {
      await engine.api('POST', `/containers/${id}/pause`);
      return (await engine.api('POST', `/containers/${id}/unpause`)).status;
    },
    check: async (engine) => {
      const { Id, State } = await onlyOne(engine);
      assert.ok(State.Running, JSON.stringify(State));
      if (State.Paused) assert.equal((await engine.api('POST', `/containers/${Id}/unpause`)).status, 204);
      const { code, stderr } = await engine.docker(['exec', Id, 'true']);
      assert.equal(code, 0, `it is thawed, and said to be: ${stderr}`);
    },
  },
  'rename and update': {
    prepare: (engine) => running(engine, 'exec sleep 1000'),
    run: async (engine, id) => {
      await engine.api('POST', `/containers/${id}/rename?name=renamed`);
      return (await engine.api('POST', `/containers/${id}/update`, { RestartPolicy: { Name: 'always' } })).status;
    },
    check: async (engine) => {
      const { Id, Name, HostConfig } = await onlyOne(engine);
      assert.ok(['always', 'no'].includes(HostConfig.RestartPolicy.Name));
      assert.equal((await engine.api('GET', `/containers${Name}/json`)).json<Seen>().Id, Id, 'it is found by its name');
      const free = (await engine.api('GET', '/containers/renamed/json')).status === 404;
      assert.equal(free, Name !== '/renamed', 'and by no other');
    },
  },
  'rm -f': {
    prepare: (engine) => running(engine, 'sleep 1000'),
    run: async (engine, id) => (await engine.api('DELETE', `/containers/${id}?force=1&v=1`)).status,
  },
  exec: {
    prepare: async (engine) => {
      const id = await running(engine, 'sleep 1000');
      const body = { Cmd: ['sleep', '1000'], AttachStdout: true };
      return (await engine.api('POST', `/containers/${id}/exec`, body)).json<{ Id: string }>().Id;
    },
    run: async (engine, id) => (await engine.api('POST', `/exec/${id}/start`, { Detach: true })).status,
  },
  import: {
    run: (engine) => send(engine, '/images/create?fromSrc=-&repo=imported', archive),
    check: (engine) => usable(engine, 'imported'),
  },
  load: {
    prepare: async (engine) => {
      await engine.api('DELETE', '/images/saved?force=1');
      return '';
    },
    run: (engine) => send(engine, '/images/load', saved),
    check: (engine) => usable(engine, 'saved'),
  },
  commit: {
    prepare: async (engine) => {
      await engine.api('DELETE', '/images/committed?force=1');
      const id = await running(engine, 'head -c 20000000 /dev/urandom >/large; touch /ready; exec sleep 1000');
      const ready = () => engine.api('HEAD', `/containers/${id}/archive?path=/ready`);
      await eventually('its files', async () => (await ready()).status === 200);
      return id;
    },
    run: async (engine, id) => {
      const { status, text } = await engine.api('POST', `/commit?container=${id}&repo=committed`);
      assert.ok(status === 201, text);
      return status;
    },
    check: async (engine) => {
      const [only] = (await engine.api('GET', '/containers/json?all=1')).json<{ State: string }[]>();
      assert.equal(only?.State, 'running', 'it goes on');
      const { stdout } = await command('find', [engine.dataRoot, '-path', '*ingest/*', '-o', '-name', '*.tmp']);
      assert.equal(stdout, '', 'nothing is in the making');
      await usable(engine, 'committed');
    },
  },
  rmi: {
    prepare: async (engine) => {
      assert.equal(await send(engine, '/images/load', saved), 200);
      return 'saved';
    },
    run: async (engine, name) => (await engine.api('DELETE', `/images/${name}?force=1`)).status,
    check: (engine) => usable(engine, 'saved'),
  },
};

interface Seen {
  Id: string;
  Name: string;
  State: { Running: boolean; Paused: boolean; ExitCode: number };
  HostConfig: { RestartPolicy: { Name: string } };
}

/** The one container there is. */
async function onlyOne(engine: TestEngine): Promise<Seen> {
  const list = (await engine.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>();
  assert.equal(list.length, 1);
  return (await engine.api('GET', `/containers/${list[0]?.Id}/json`)).json<Seen>();
}

describe('a daemon killed at every step', () => {
  let engine: TestEngine;
  before(async () => {
    archive = await busyboxArchive();
    engine = await startGantry();
    await importBusybox(engine);
    saved = await savedImage(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  for (const [name, operation] of Object.entries(operations)) {
    test(`of ${name}`, () => killAtEveryStep(engine, operation));
  }

  test('of its own start, with a container that runs', async () => {
    const begin = performance.now();
    await engine.crash();
    await engine.start();
    const duration = performance.now() - begin;
    const id = await running(engine, 'while :; do echo x; sleep 0.01; done');
    await engine.crash();
    for (let round = 0; round < ROUNDS; round++) {
      const started = engine.start().catch(() => {});
      await sleep((duration * round) / (ROUNDS - 1));
      await engine.crash();
      await started;
    }
    await engine.start();
    const { State } = (await engine.api('GET', `/containers/${id}/json`)).json<{ State: { Running: boolean } }>();
    assert.ok(State.Running);
    await assertCleared(engine);
  });

  test('leaves nothing in the end', () => assertNoTraces(engine));
});

/** Every volume has its container and all of its content; both go. */
async function volumesAreWhole(engine: TestEngine): Promise<void> {
  const { Volumes } = (await engine.api('GET', '/volumes')).json<{ Volumes: { Name: string; Mountpoint: string }[] }>();
  const containers = (await engine.api('GET', '/containers/json?all=1')).json<
    { Id: string; Mounts: { Name: string }[] }[]
  >();
  const used = containers.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name));
  assert.deepEqual(Volumes.map(({ Name }) => Name).sort(), used.sort());
  for (const { Mountpoint } of Volumes) {
    assert.ok((await readdir(Mountpoint)).includes('passwd'), 'it is filled');
    assert.deepEqual(await readdir(dirname(Mountpoint)), ['_data'], 'nothing is in the making');
  }
  for (const { Id } of containers) assert.equal((await engine.api('DELETE', `/containers/${Id}?v=1`)).status, 204);
}

const create = (engine: TestEngine, script: string) => createWith(engine, { Cmd: ['sh', '-c', script] });

async function createWith(engine: TestEngine, wanted: object): Promise<{ status: number; id: string }> {
  const body = { Image: 'busybox', ...wanted, HostConfig: { CgroupParent: cgroupParent(engine) } };
  const reply = await engine.api('POST', '/containers/create', body);
  assert.equal(reply.status, 201, reply.text);
  return { status: reply.status, id: reply.json<{ Id: string }>().Id };
}

async function running(engine: TestEngine, script: string): Promise<string> {
  const { id } = await create(engine, script);
  const { status, text } = await engine.api('POST', `/containers/${id}/start`);
  assert.equal(status, 204, text);
  return id;
}

/** An image is there whole or not at all. */
async function usable(engine: TestEngine, image: string): Promise<void> {
  if ((await engine.api('GET', `/images/${image}/json`)).status === 404) return;
  const body = { Image: image, Cmd: ['/bin/sh', '-c', 'exit 5'], HostConfig: { CgroupParent: cgroupParent(engine) } };
  const created = await engine.api('POST', '/containers/create', body);
  assert.equal(created.status, 201, created.text);
  const { Id } = created.json<{ Id: string }>();
  const started = await engine.api('POST', `/containers/${Id}/start`);
  assert.equal(started.status, 204, started.text);
  const waited = await engine.api('POST', `/containers/${Id}/wait`);
  assert.equal(waited.json<{ StatusCode: number }>().StatusCode, 5);
}

/** Another image, so that loading it makes blobs and a layer of its own. */
async function savedImage(engine: TestEngine): Promise<Buffer> {
  assert.equal(await send(engine, '/images/create?fromSrc=-&repo=saved&changes=LABEL+made=saved', archive), 200);
  const bytes = await fetchBytes(engine, '/images/saved/get');
  assert.equal((await engine.api('DELETE', '/images/saved')).status, 200);
  return bytes;
}

function send({ socket: socketPath }: TestEngine, path: string, body: Buffer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': body.length };
  const sent = request({ socketPath, method: 'POST', path, headers }, (response) => {
    response.resume();
    response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

function fetchBytes({ socket: socketPath }: TestEngine, path: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const sent = request({ socketPath, path }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject);
  });
  sent.on('error', reject).end();
  return promise;
}
