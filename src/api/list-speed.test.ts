import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { openFixture } from './api-fixture.ts';
import { fakeContainer } from './fake-engine.ts';

/** Milliseconds for a list of 200 containers over the socket, best of many: a busy machine must not fail the test. */
const LIMIT = 5;

test('200 containers are listed in under 5 ms', async () => {
  await using api = await openFixture();
  for (let i = 0; i < 200; i++) api.engine.all.push(fakeContainer());
  const agent = new Agent({ keepAlive: true });
  const once = () =>
    new Promise<number>((resolve, reject) => {
      const start = performance.now();
      const req = request({ socketPath: api.path, path: '/containers/json', agent });
      req.on('error', reject).on('response', (res) => res.resume().on('end', () => resolve(performance.now() - start)));
      req.end();
    });
  const times: number[] = [];
  for (let i = 0; i < 100; i++) times.push(await once());
  agent.destroy();
  const best = Math.min(...times);
  assert.ok(best < LIMIT, `${best} ms`);
});
