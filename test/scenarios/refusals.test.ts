import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startGantry } from '../support/gantry.ts';
import { ask, expected, readRefusals, sameAnswer } from '../support/refusals.ts';

test('every refusal of the table is that of dockerd, or differs on purpose', async () => {
  await using engine = await startGantry([], { level: 'error' });
  await importBusybox(engine);
  const answers: string[] = [];
  const wanted: string[] = [];
  for (const row of readRefusals()) {
    const [answer, right] = [await ask(engine, row.call), expected(row)];
    const line = (it: typeof answer) => `${JSON.stringify(row.call)}: ${it.status} ${it.message}`;
    answers.push(line(answer));
    wanted.push(sameAnswer(answer, right) ? line(answer) : line(right));
  }
  assert.deepEqual(answers, wanted);
  assert.ok(wanted.length > 100, `only ${wanted.length} rows`);
  assert.deepEqual((await engine.api('GET', '/containers/json?all=1')).json(), [], 'nothing is left');
});
