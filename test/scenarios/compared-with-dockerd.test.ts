import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command } from '../support/target.ts';

const root = join(import.meta.dirname, '..', '..');
const VARIABLE = 'DOCKER_TEST_HOST';

test('unit tests that compare with a dockerd pass with one', { timeout: 300_000 }, async () => {
  const files = globSync('src/**/*.test.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes(VARIABLE),
  );
  assert.ok(files.length > 1, 'no such test was found');
  await using dockerd = await startDockerd();
  await importBusybox(dockerd);
  // The runner tells its children that they are such; a run of its own must not believe it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = ['--test', '--test-reporter=tap', ...files.map((file) => join(root, file))];
  const { code, stdout } = await command(
    process.execPath,
    run,
    { timeout: 240_000 },
    {
      ...env,
      [VARIABLE]: `unix://${dockerd.socket}`,
    },
  );
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^# pass [1-9]/m);
});
