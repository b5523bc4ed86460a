import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

// Much at once: reloads, and questions about processes that come and go.

const stack = new AsyncDisposableStack();
let engine: TestEngine;
let config: string;

describe('storms', () => {
  before(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-storm-'));
    stack.defer(() => rm(dir, { recursive: true }));
    config = join(dir, 'daemon.json');
    await writeFile(config, '{}');
    engine = stack.use(await startGantry(['--config-file', config], { level: 'info' }));
    await importBusybox(engine);
  });
  after(() => stack.disposeAsync());

  test('of SIGHUP: the last configuration counts, and containers start meanwhile', async () => {
    for (let i = 0; i < 200; i++) {
      if (i % 10 === 0) await writeFile(config, JSON.stringify({ debug: i % 20 === 0 }));
      process.kill(engine.pid(), 'SIGHUP');
      if (i % 50 === 0) {
        await using c = await run(engine, 'exit 4');
        assert.equal(await c.wait(), 4);
      }
    }
    await writeFile(config, JSON.stringify({ debug: true }));
    process.kill(engine.pid(), 'SIGHUP');
    await eventually('the last configuration is read', async () => {
      const info = (await engine.api('GET', '/info')).json<{ Debug: boolean }>();
      return info.Debug;
    });
    await writeFile(config, '{ no json');
    process.kill(engine.pid(), 'SIGHUP');
    await eventually('what cannot be read is told', () =>
      engine.log().includes('the configuration was not read again'),
    );
    assert.equal((await engine.api('GET', '/info')).json<{ Debug: boolean }>().Debug, true);
  });

  test('of top, while processes of the container come and go', async () => {
    await using c = await run(engine, 'for round in $(seq 200); do (true & true & true & wait); done; exec sleep 1000');
    for (let i = 0; i < 40; i++) {
      const replies = await Promise.all([1, 2, 3].map(() => engine.api('GET', `${c.path}/top`)));
      for (const reply of replies) {
        assert.equal(reply.status, 200, reply.text);
        assert.ok(reply.json<{ Processes: string[][] }>().Processes.length > 0);
      }
    }
  });

  test('of top, while containers end', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => create(engine, 'sleep 0.1')));
    await Promise.all(
      made.map(async (c) => {
        await c.start();
        let status = 200;
        let last = '';
        while (status === 200) ({ status, text: last } = await engine.api('GET', `${c.path}/top`));
        assert.equal(status, 409, JSON.stringify(last));
      }),
    );
    for (const c of made) await c[Symbol.asyncDispose]();
  });
});
