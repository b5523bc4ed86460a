import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestHost, skipContainers } from './test-host.ts';

test('a container prints on both outputs and its exit code comes back', { skip: skipContainers }, async () => {
  await using host = await openTestHost();
  const container = await host.create('one', { args: ['sh', '-c', 'echo out; echo err >&2; exit 7'] });
  const pid = await container.task.start();
  assert.ok(pid > 0);
  assert.equal(container.task.pid, pid);
  const exit = await container.task.wait();
  assert.equal(exit.status, 7);
  assert.match(exit.at, /^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  await host.remove(container);
  assert.equal(Buffer.concat(container.stdout).toString(), 'out\n');
  assert.equal(Buffer.concat(container.stderr).toString(), 'err\n');
});
