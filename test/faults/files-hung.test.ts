import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { mountFuse, noFuse } from '../support/fuse.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { assertNoTraces } from '../support/traces.ts';
import { fileWorkers } from '../support/workers.ts';

/** More than there are threads for file operations in the engine. */
const READS = 6;

const skip = noFuse();

describe('files that never answer', { ...(skip === undefined ? {} : { skip }), timeout: 120_000 }, () => {
  let engine: TestEngine;
  let dir: string;
  const mounted = new AsyncDisposableStack();
  /** Each is read by one: a second one would wait for the first. */
  let files = 1;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
    dir = await mkdtemp(join(tmpdir(), 'gantry-hung-'));
    mounted.use(await mountFuse(dir, 'hangs'));
  });
  after(async () => {
    await mounted.disposeAsync();
    await engine[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const asked = (c: Made, name: string): ClientRequest => {
    const sent = request({ socketPath: engine.socket, path: `${c.path}/archive?path=/f/${name}`, agent: false });
    sent.on('error', () => {}).on('response', (response) => response.on('error', () => {}).resume());
    sent.end();
    return sent;
  };
  const works = async (what: string) => {
    await using c = await run(engine, 'exit 7');
    assert.equal(await c.wait(), 7, what);
    assert.match((await engine.docker(['cp', `${c.id}:/etc/passwd`, '-'])).stdout, /root:x:0/);
  };

  // The kernel keeps some that were killed until their file system is gone.
  let workers: string[] = [];
  for (const state of ['running', 'stopped']) {
    test(`of a ${state} container hold up nobody else, and whoever waits for them can go`, async () => {
      const HostConfig = { Binds: [`${dir}:/f`] };
      // One that does not run is locked while it is read.
      const made = await Promise.all(
        Array.from({ length: state === 'running' ? 1 : READS }, () => create(engine, 'sleep 1000', { HostConfig })),
      );
      if (state === 'running') for (const c of made) await c.start();
      const sent = Array.from({ length: READS }, (_, i) =>
        asked(made[i % made.length] ?? assert.fail(), `large${files++}`),
      );
      const others = new Set(workers);
      workers = await eventually('the workers', () => {
        const all = fileWorkers(engine);
        return all.filter((pid) => !others.has(pid)).length === READS && all;
      });
      await sleep(300);
      await works('while reads hang');
      for (const one of sent) one.destroy();
      for (const c of made) {
        const removed = await engine.api('DELETE', `${c.path}?force=1`);
        assert.equal(removed.status, 204, removed.text);
      }
      await works('after that');
    });
  }

  test('or that answer with an error are named in the log', async () => {
    const failing = await mkdtemp(join(tmpdir(), 'gantry-eio-'));
    try {
      await using _ = await mountFuse(failing, 'fails');
      await using c = await run(engine, 'exec sleep 1000', { HostConfig: { Binds: [`${failing}:/f`] } });
      for (const name of ['small', 'large']) {
        const { promise, resolve } = Promise.withResolvers<void>();
        asked(c, name).once('close', resolve);
        await promise;
        assert.ok(engine.log().includes(`read ${name}: input/output error`), name);
      }
    } finally {
      await rm(failing, { recursive: true });
    }
  });

  test('leave nothing once they are gone', async () => {
    await mounted.disposeAsync();
    await eventually('no worker', () => fileWorkers(engine).length === 0);
    await assertNoTraces(engine);
  });
});
