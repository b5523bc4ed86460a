import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { rerunner } from './rerun.ts';

test('calls during a run make one more run', async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const trigger = rerunner(
    () => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      return run.promise;
    },
    () => assert.fail(),
  );
  for (let i = 0; i < 5; i++) trigger();
  assert.equal(runs.length, 1);
  runs[0]?.resolve();
  await turn();
  assert.equal(runs.length, 2);
  runs[1]?.resolve();
  await turn();
  assert.equal(runs.length, 2);
  trigger();
  assert.equal(runs.length, 3);
});

test('a run that fails is told, and the next one runs', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const trigger = rerunner(
    async () => {
      runs += 1;
      if (runs === 1) throw new Error('once');
    },
    (error) => void errors.push(error),
  );
  trigger();
  trigger();
  await turn();
  assert.deepEqual([runs, errors.length], [2, 1]);
});
