import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, run } from '../support/containers.ts';
import { startGantry } from '../support/gantry.ts';

const MB = 1 << 20;
const FOREVER = 'trap exit TERM; sleep 1000 & wait';
/** Waits for a file, then takes more memory than it may have. */
const GREEDY = 'while [ ! -e /go ]; do sleep 0.1; done; a=x; while :; do a=$a$a; done';

const memoryLimit = (id: string): number =>
  Number(readFileSync(`/sys/fs/cgroup/memory/docker/${id}/memory.limit_in_bytes`, 'utf8'));

test('new limits hold across a crash of the daemon, and it can change them again', async () => {
  await using engine = await startGantry();
  await importBusybox(engine);
  await using box = await run(engine, FOREVER, { HostConfig: { Memory: 64 * MB } });
  const update = (Memory: number) => engine.api('POST', `${box.path}/update`, { Memory, MemorySwap: -1 });
  assert.equal((await update(96 * MB)).status, 200);
  await engine.crash();
  await engine.start();
  assert.deepEqual([(await box.inspect()).HostConfig['Memory'], memoryLimit(box.id)], [96 * MB, 96 * MB]);
  assert.equal((await update(128 * MB)).status, 200);
  assert.equal(memoryLimit(box.id), 128 * MB);
});

test('a death for want of memory that no daemon saw is told by the next', async () => {
  await using engine = await startGantry();
  await importBusybox(engine);
  const limits = { HostConfig: { Memory: 16 * MB, MemorySwap: 16 * MB } };
  await using box = await run(engine, GREEDY, limits);
  await using other = await run(engine, FOREVER, limits);
  const { Pid } = (await box.inspect()).State;
  await engine.crash();
  writeFileSync(`/proc/${Pid}/root/go`, '');
  await eventually('the process is gone', () => !alive(Pid));
  await engine.start();
  const oom = async (ref: typeof box) => ((await ref.inspect()).State as { OOMKilled?: boolean }).OOMKilled;
  await eventually('the end is seen', async () => !(await box.inspect()).State.Running);
  assert.deepEqual([await oom(box), await oom(other)], [true, false]);
});

function alive(pid: number): boolean {
  try {
    return !/^State:\tZ/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a shim that is killed: an update answers, and the state stays true', async () => {
  await using engine = await startGantry();
  await importBusybox(engine);
  await using box = await run(engine, FOREVER, { HostConfig: { Memory: 64 * MB } });
  const { Pid } = (await box.inspect()).State;
  process.kill(parentOf(Pid), 'SIGKILL');
  const { status, text } = await engine.api('POST', `${box.path}/update`, { Memory: 96 * MB, MemorySwap: -1 });
  assert.ok([200, 500].includes(status), text);
  await eventually('the end is seen', async () => !(await box.inspect()).State.Running);
  const { Memory } = (await box.inspect()).HostConfig;
  assert.equal(Memory, (status === 200 ? 96 : 64) * MB);
  await box.start();
  assert.equal(memoryLimit(box.id), Memory);
});

const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('a container that is killed and started again while its figures are streamed', async () => {
  await using engine = await startGantry();
  await importBusybox(engine);
  const box = await run(engine, FOREVER);
  const stream = engine.api('GET', `${box.path}/stats`);
  const looks = () => new Promise((resolve) => setTimeout(resolve, 2500));
  await looks();
  await engine.api('POST', `${box.path}/kill`);
  await looks();
  await box.start();
  await looks();
  await box[Symbol.asyncDispose]();
  const seen = (await stream).text.trim().split('\n').map(pidsOf);
  const gone = seen.indexOf(undefined);
  assert.ok(gone > 0 && seen.lastIndexOf(undefined) < seen.length - 1, seen.join());
});

const pidsOf = (line: string): number | undefined =>
  (JSON.parse(line) as { pids_stats: { current?: number } }).pids_stats.current;

test('the daemon’s settings for containers that name no limit', async () => {
  const flags = '--default-ulimit nofile=64:128 --default-shm-size 8m --cgroup-parent /gantry-limits';
  await using leftovers = new AsyncDisposableStack();
  leftovers.defer(removeParents);
  await using engine = await startGantry(flags.split(' '));
  await importBusybox(engine);
  const script = 'ulimit -Sn; ulimit -Hn; df -k /dev/shm | tail -n 1; cat /proc/self/cgroup';
  const { stdout } = await engine.docker(['run', '--rm', 'busybox', 'sh', '-c', script]);
  assert.match(stdout, /^64\n128\nshm +8192 [^]*:\/gantry-limits\/[0-9a-f]{64}$/mu);
  const own = await engine.docker([
    'run',
    '--rm',
    '--ulimit=nofile=32:32',
    '--shm-size=4m',
    'busybox',
    'sh',
    '-c',
    script,
  ]);
  assert.match(own.stdout, /^32\n32\nshm +4096 /mu);
});

/** A runtime removes the group of a container, and nobody the one above that was made on the way. */
function removeParents(): void {
  for (const controller of readdirSync('/sys/fs/cgroup')) {
    try {
      rmdirSync(`/sys/fs/cgroup/${controller}/gantry-limits`);
    } catch {
      // It was not made in every hierarchy.
    }
  }
}
