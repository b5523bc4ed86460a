import assert from 'node:assert/strict';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../../util/errors.ts';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { openIoPool } from './io-pool.ts';

async function tempRoot() {
  const dir = await mkdtemp(join(tmpdir(), 'gantry io-'));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

const open = (dir: string) => openIoPool({ execRoot: dir, log: silentLog() });
const fifos = async (dir: string) => (await readdir(join(dir, 'io'))).filter((name) => /^[io]-/.test(name));
const keeperPid = async (dir: string) => Number.parseInt(await readFile(join(dir, 'io', 'process'), 'utf8'), 10);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  assert.fail('never happened');
}

/** True for a process that has ended, whether or not its parent has asked how. */
const isGone = async (pid: number) => {
  // It may go between the opening and the reading, which is another error than a file that is not there.
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  return status === undefined || /^State:\s+Z/m.test(status);
};

/** How many FIFOs a keeper has open. */
const heldBy = async (pid: number) => {
  const { stdout } = await run('ls', ['-l', `/proc/${pid}/fd`]);
  return stdout.split('\n').filter((line) => /\/o-[0-9a-f]+( \(deleted\))?$/.test(line)).length;
};

test('takes exactly what was asked for, and release removes it', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const all = await pool.take({ stdin: true, stderr: true });
  const one = await pool.take({ stdin: false, stderr: false });
  assert.ok(all.stdin && all.stderr);
  assert.equal(one.stdin, undefined);
  assert.deepEqual([one.paths.stdin, one.paths.stderr], ['', '']);
  const { stdout } = await run('stat', ['-c', '%F %a', ...Object.values(all.paths)]);
  assert.equal(stdout, 'fifo 600\nfifo 600\nfifo 600\n');
  for (const pipes of [all, one, one]) pipes.release();
  assert.equal((await run('stat', [all.paths.stdout], { allowFailure: true })).code, 1);
});

test('FIFOs that cannot be opened are removed', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  (await pool.take({ stdin: true, stderr: false })).release();
  const before = await fifos(root.dir);
  for (const name of before.filter((one) => one.startsWith('i-'))) await rm(join(root.dir, 'io', name));
  await assert.rejects(pool.take({ stdin: true, stderr: true }), { code: 'ENOENT' });
  const outputs = (names: string[]) => names.filter((name) => name.startsWith('o-')).length;
  assert.equal(outputs(await fifos(root.dir)), outputs(before) - 2);
});

test('many at once are all different', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const taken = await Promise.all(Array.from({ length: 60 }, () => pool.take({ stdin: true, stderr: true })));
  assert.equal(new Set(taken.flatMap(({ paths }) => Object.values(paths))).size, 180);
  for (const pipes of taken) pipes.release();
});

test('the last one out ends the keeper and leaves no file', async () => {
  await using root = await tempRoot();
  const pool = await open(root.dir);
  const pid = await keeperPid(root.dir);
  const pipes = await pool.take({ stdin: true, stderr: true });
  pipes.release();
  await pool[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(join(root.dir, 'io')), []);
  await until(() => isGone(pid));
});

test('output comes in order, and drain gives what is left in the same tick', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const { paths, stdout, release } = await pool.take({ stdin: false, stderr: false });
  const got: Buffer[] = [];
  stdout.onData((chunk) => got.push(chunk));
  const writer = openSync(paths.stdout, constants.O_WRONLY);
  writeSync(writer, 'one ');
  await until(async () => got.length === 1);
  stdout.pause();
  writeSync(writer, 'two ');
  await sleep(30);
  assert.equal(Buffer.concat(got).toString(), 'one ', 'paused');
  stdout.resume();
  await until(async () => got.length === 2);
  writeSync(writer, 'three ');
  stdout.drain();
  assert.equal(Buffer.concat(got).toString(), 'one two three ');
  stdout.pause();
  writeSync(writer, Buffer.alloc(40_000, 'x'));
  stdout.drain();
  assert.equal(Buffer.concat(got).length, 'one two three '.length + 40_000);
  closeSync(writer);
  release();
  stdout.drain();
});

test('what a process left in a pipe survives the death of both its ends', async () => {
  await using root = await tempRoot();
  const script = `
    import { openIoPool } from ${JSON.stringify(join(import.meta.dirname, 'io-pool.ts'))};
    import { silentLog } from ${JSON.stringify(join(import.meta.dirname, '../../util/log.ts'))};
    const pool = await openIoPool({ execRoot: process.argv[1], log: silentLog() });
    const { paths } = await pool.take({ stdin: false, stderr: true });
    console.log(JSON.stringify(paths));
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '-e', script, root.dir], {
    allowFailure: true,
  });
  assert.equal(code, -1, stderr);
  const paths = JSON.parse(stdout) as { stdin: string; stdout: string; stderr: string };
  await run('sh', [
    '-c',
    `exec timeout 5 sh -c 'echo last words > "$0"; echo oops > "$1"' "${paths.stdout}" "${paths.stderr}"`,
  ]);
  const pid = await keeperPid(root.dir);
  const before = await fifos(root.dir);
  assert.ok(before.length > 2);

  await using pool = await open(root.dir);
  assert.equal(await keeperPid(root.dir), pid, 'the keeper is found again');
  await pool.sweep(new Set(Object.values(paths)));
  const after = new Set(await fifos(root.dir));
  const kept = before.filter((name) => after.has(name)).sort();
  assert.deepEqual(kept, [paths.stdout, paths.stderr].map((path) => basename(path)).sort());
  const pipes = await pool.reopen(paths);
  const got: string[] = [];
  pipes.stdout.onData((chunk) => got.push(chunk.toString()));
  pipes.stderr?.onData((chunk) => got.push(chunk.toString()));
  pipes.stdout.drain();
  pipes.stderr?.drain();
  assert.deepEqual(got, ['last words\n', 'oops\n']);
  pipes.release();
});

test('FIFOs that are gone are made anew, and go with the others', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const { paths } = await pool.take({ stdin: true, stderr: true });
  for (const path of [paths.stdin, paths.stderr]) await rm(path);
  const again = await pool.reopen(paths);
  const got: string[] = [];
  again.stdout.onData((chunk) => got.push(chunk.toString()));
  await run('sh', ['-c', `echo still there > '${paths.stdout}'`]);
  again.stdout.drain();
  again.stderr?.drain();
  assert.deepEqual(got, ['still there\n']);
  again.release();
  const left = new Set(await fifos(root.dir));
  for (const path of Object.values(paths)) assert.equal(left.has(basename(path)), false, path);
});

test('a keeper that was killed is replaced and holds what is in use', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const pipes = await pool.take({ stdin: false, stderr: true });
  const before = await keeperPid(root.dir);
  process.kill(before, 'SIGKILL');
  await until(() => isGone(before));
  const more = await Promise.all(Array.from({ length: 30 }, () => pool.take({ stdin: false, stderr: true })));
  const after = await keeperPid(root.dir);
  assert.notEqual(after, before);
  await until(async () => (await heldBy(after)) >= 62);
  for (const taken of [pipes, ...more]) taken.release();
  await until(async () => (await heldBy(after)) <= 32);
});

test('writes wait until the pipe took them, and fail once closed', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const { stdin, paths, release } = await pool.take({ stdin: true, stderr: false });
  assert.ok(stdin);
  await stdin.write(Buffer.from('fits'));
  let done = false;
  const large = stdin.write(Buffer.alloc(200_000, 'y')).then(() => {
    done = true;
  });
  await sleep(30);
  assert.equal(done, false);
  const { stdout } = await run('head', ['-c', '200004', paths.stdin]);
  await large;
  assert.equal(stdout.length, 200_004);
  const never = stdin.write(Buffer.alloc(200_000));
  stdin.close();
  for (const outcome of await Promise.allSettled([never, stdin.write(Buffer.from('x'))])) {
    assert.equal(outcome.status, 'rejected');
    assert.equal(kindOf(outcome.reason), 'unavailable');
  }
  release();
});

test('half a gigabyte passes in a moment', async () => {
  await using root = await tempRoot();
  await using pool = await open(root.dir);
  const { stdout, paths, release } = await pool.take({ stdin: false, stderr: false });
  const total = 512 << 20;
  let got = 0;
  stdout.onData((chunk) => {
    got += chunk.length;
  });
  const begun = performance.now();
  await run('sh', ['-c', `head -c ${total} /dev/zero > '${paths.stdout}'`]);
  stdout.drain();
  assert.equal(got, total);
  assert.ok(performance.now() - begun < 5000, `took ${performance.now() - begun} ms`);
  release();
});
