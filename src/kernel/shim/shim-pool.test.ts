import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { silentLog } from '../../util/log.ts';
import { removeBundle } from '../bundle.ts';
import { deleteOrphan } from './delete-orphan.ts';
import { findShims } from './shim.ts';
import { entries, openTestHost, processesWith, skipContainers, type TestContainer, testProcess } from './test-host.ts';

const skip = skipContainers;

const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString();

/** Polls until a condition holds; output arrives when it arrives. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  assert.fail(`never happened: ${what}`);
}

/** True for a process that is gone or a zombie: who adopted it reaps it when it likes. */
async function hasEnded(pid: number): Promise<boolean> {
  const status = await ifExists(() => readFile(`/proc/${pid}/status`, 'utf8'));
  return status === undefined || /^State:\s+Z/m.test(status);
}

test('a container prints on both outputs and its exit code comes back', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('one', { args: ['sh', '-c', 'echo out; echo err >&2; exit 7'] });
  const pid = await container.task.start();
  assert.ok(pid > 0);
  assert.equal(container.task.pid, pid);
  const exit = await container.task.wait();
  assert.equal(exit.status, 7);
  assert.match(exit.at, /^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  await host.remove(container);
  assert.equal(text(container.stdout), 'out\n');
  assert.equal(text(container.stderr), 'err\n');
});

test('a signal gives 128 and its number, to one process or to all', { skip }, async () => {
  await using host = await openTestHost();
  // Its cgroup has its name, and is asked who is in it: another run of this test on the host must not be.
  const container = await host.create(`killed-${process.pid}`, { args: ['sleep', '100'] });
  await container.task.start();
  assert.equal((await container.task.state()).status, 'running');
  assert.deepEqual(await container.task.pids(), [container.task.pid]);
  await container.task.killAll(9);
  assert.equal((await container.task.wait()).status, 137);
  const state = await container.task.state();
  assert.equal(state.status, 'stopped');
  assert.equal(state.exit.status, 137);
  await assert.rejects(container.task.kill(9), /process already finished|not found/);
  await host.remove(container);
});

test('what the runtime says of a missing command comes through', { skip }, async () => {
  await using host = await openTestHost();
  await assert.rejects(host.create('wrong', { args: ['no-such-command'] }), (error) => {
    assert.match(String(error), /executable file not found in \$PATH/);
    assert.equal(kindOf(error), 'internal');
    return true;
  });
  await removeBundle(join(host.dir, 'bundles', 'wrong'));
});

test('a terminal has the size it was given', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('tty', { args: ['sh'], terminal: true, stdin: true });
  await container.task.start();
  await container.task.resize({ width: 123, height: 45 });
  await container.pipes.stdin?.write(Buffer.from('stty size; exit 3\n'));
  assert.equal((await container.task.wait()).status, 3);
  await host.remove(container);
  assert.match(text(container.stdout), /45 123\r\n/);
});

test('stdin ends for the process when both we and the shim close it, and nothing of it is lost', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('cat', { args: ['sh', '-c', 'md5sum; echo done'], stdin: true });
  await container.task.start();
  const block = Buffer.alloc(1 << 20, 'abcdefg\n');
  for (let i = 0; i < 4; i++) await container.pipes.stdin?.write(block);
  container.pipes.stdin?.close();
  await container.task.closeStdin();
  assert.equal((await container.task.wait()).status, 0);
  await host.remove(container);
  const { createHash } = await import('node:crypto');
  const sum = createHash('md5');
  for (let i = 0; i < 4; i++) sum.update(block);
  assert.equal(text(container.stdout), `${sum.digest('hex')}  -\ndone\n`);
});

test('an exec has its own output, exit code and stdin', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('main', { args: ['sleep', '100'] });
  await container.task.start();
  const pipes = await host.io.take({ stdin: true, stderr: true });
  const out: Buffer[] = [];
  pipes.stdout.onData((chunk) => out.push(chunk));
  pipes.stderr?.onData((chunk) => out.push(chunk));
  const process = testProcess({ args: ['sh', '-c', 'cat; hostname; exit 5'] });
  const exec = await container.task.exec('ex', { terminal: false, ...pipes.paths, process });
  assert.equal(exec.pid, 0);
  const pid = await exec.start();
  assert.ok(pid > 0 && pid !== container.task.pid);
  assert.equal(exec.pid, pid);
  await pipes.stdin?.write(Buffer.from('in\n'));
  pipes.stdin?.close();
  await exec.closeStdin();
  assert.equal((await exec.wait()).status, 5);
  assert.equal((await exec.delete()).status, 5);
  pipes.stdout.drain();
  pipes.release();
  assert.equal(text(out), 'in\ntest\n');
  const again = container.task.adoptExec('ex');
  await assert.rejects(again.wait(), (error) => kindOf(error) === 'not-found');
  await container.task.kill(9);
  await container.task.wait();
  await host.remove(container);
});

test('a container can be paused, resumed and given other limits', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('limits', { args: ['sleep', '100'] });
  await container.task.start();
  await container.task.pause();
  assert.equal((await container.task.state()).status, 'paused');
  await container.task.resume();
  assert.equal((await container.task.state()).status, 'running');
  await container.task.update({ pids: { limit: 33 } });
  const cgroups = await readFile(`/proc/${container.task.pid}/cgroup`, 'utf8');
  const path = /^(?:\d+:pids|0:):(.*)$/m.exec(cgroups)?.[1] ?? '';
  const root = cgroups.includes(':pids:') ? '/sys/fs/cgroup/pids' : '/sys/fs/cgroup';
  assert.equal((await readFile(join(root, path, 'pids.max'), 'utf8')).trim(), '33');
  await container.task.kill(9);
  await container.task.wait();
  await host.remove(container);
});

test('running out of memory is reported', { skip }, async () => {
  await using host = await openTestHost();
  // `tail` keeps what has no newline in memory.
  const container = await host.create('oom', { args: ['sh', '-c', 'sleep 0.2; tail /dev/zero'], memory: 16 << 20 });
  await container.task.start();
  assert.equal((await container.task.wait()).status, 137);
  await until(() => host.oomKilled.includes('oom'), 'the out of memory event');
  await host.remove(container);
});

test('twenty containers share two shims evenly', { skip }, async () => {
  await using host = await openTestHost({ size: 2 });
  await until(async () => (await processesWith(`${host.dir}/shim-events.sock`)).length === 2, 'two shims');
  const ids = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const containers = await Promise.all(
    ids.map(async (id, i) => {
      const container = await host.create(id, { args: ['sh', '-c', `echo ${id}; exit ${i}`] });
      await container.task.start();
      return container;
    }),
  );
  const exits = await Promise.all(containers.map((container) => container.task.wait()));
  assert.deepEqual(
    exits.map(({ status }) => status),
    ids.map((_, i) => i),
  );
  const perShim = Map.groupBy(containers, (container) => container.task.shim);
  assert.deepEqual(
    [...perShim.values()].map((list) => list.length),
    [10, 10],
  );
  await Promise.all(containers.map((container) => host.remove(container)));
  assert.deepEqual(
    containers.map(({ stdout }) => text(stdout)),
    ids.map((id) => `${id}\n`),
  );
});

test('a shim that dies takes its waits with it and is replaced', { skip }, async () => {
  await using host = await openTestHost();
  const container = await host.create('orphan', { args: ['sleep', '100'] });
  await container.task.start();
  const lost = assert.rejects(container.task.wait(), (error) => kindOf(error) === 'unavailable');
  const [shim] = await processesWith(`${host.dir}/shim-events.sock`);
  assert.ok(shim);
  process.kill(shim, 'SIGKILL');
  await lost;
  await assert.rejects(container.task.state(), (error) => kindOf(error) === 'unavailable');
  assert.equal(await host.shims.adopt('orphan', container.task.shim), undefined);
  const orphan = { id: 'orphan', namespace: 'gantry-test', runtime: { binary: 'runc', root: join(host.dir, 'runc') } };
  await deleteOrphan(orphan);
  await deleteOrphan(orphan);
  await until(() => hasEnded(container.task.pid), 'the process of the orphan is gone');
  assert.deepEqual(await entries(join(host.dir, 'runc', 'gantry-test')), []);
  container.pipes.release();
  const next = await host.create('next', { args: ['true'] });
  assert.notEqual(next.task.shim, container.task.shim);
  await next.task.start();
  assert.equal((await next.task.wait()).status, 0);
  await host.remove(next);
  await removeBundle(join(host.dir, 'bundles', 'orphan'));
  await until(async () => (await entries(join(host.dir, 'shims'))).length === 1, "the dead shim's directory is gone");
});

test('a shim that hangs is ended when it is found again, and keeps nobody waiting', { skip }, async () => {
  await using host = await openTestHost({ size: 1 });
  await using stack = new AsyncDisposableStack();
  const container = await host.create('hung', { args: ['sleep', '1000'] });
  // Whatever fails, nothing of it stays that would keep this process from ending.
  stack.defer(() => container.pipes.release());
  stack.defer(() => removeBundle(join(host.dir, 'bundles', 'hung')));
  const pid = await container.task.start();
  stack.defer(async () => {
    const runtime = { binary: 'runc', root: join(host.dir, 'runc') };
    await deleteOrphan({ id: 'hung', namespace: 'gantry-test', runtime });
    await until(() => hasEnded(pid), 'its container is gone');
  });
  const eventSocket = `${host.dir}/shim-events.sock`;
  const [shim] = await processesWith(eventSocket);
  assert.ok(shim);
  process.kill(shim, 'SIGSTOP');
  const home = { dir: join(host.dir, 'shims'), eventSocket, namespace: 'gantry-test', log: silentLog() };
  assert.deepEqual(await findShims({ ...home, patience: 200 }), []);
  await until(() => hasEnded(shim), 'the shim is gone');
});

test('when all is done no process and no file is left', { skip }, async () => {
  const host = await openTestHost({ size: 2 });
  const containers: TestContainer[] = [];
  for (const id of ['a', 'b']) containers.push(await host.create(id, { args: ['true'] }));
  for (const container of containers) {
    await container.task.start();
    await container.task.wait();
    await host.remove(container);
  }
  await host.shims.shutdownIdle();
  await host.shims[Symbol.asyncDispose]();
  await host.io[Symbol.asyncDispose]();
  await until(async () => (await processesWith(host.dir)).length === 0, 'no process left');
  assert.deepEqual(await entries(join(host.dir, 'shims')), []);
  assert.deepEqual(await entries(join(host.dir, 'io')), []);
  assert.ok(!(await entries(host.dir)).includes('shim-events.sock'));
  await host.removeDir();
});
