import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cgroupDirs } from '../cgroups/cgroup-dirs.ts';
import { probeCgroups } from './cgroup-facts.ts';
import { chooseRuntime } from './choose-runtime.ts';
import { findProgram } from './find-program.ts';
import { probeRuntime } from './probe-runtime.ts';

const skip =
  process.getuid?.() !== 0 ? 'needs root to run containers' : findProgram('runc') === '' ? 'needs runc' : false;

async function tempDir() {
  const path = await mkdtemp(join(tmpdir(), 'gantry-runtime-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('a runtime that works is seen to work and leaves nothing behind', { skip }, async () => {
  await using dir = await tempDir();
  const parent = `/gantry-test-${process.pid}`;
  assert.equal(await probeRuntime(findProgram('runc'), dir.path, { parent }), true);
  assert.deepEqual(await readdir(dir.path), []);
  for (const group of cgroupDirs(probeCgroups(), parent)) {
    if (existsSync(group))
      assert.deepEqual(
        (await readdir(group)).filter((name) => name.startsWith('probe-')),
        [],
      );
  }
  await removeParents(parent);
});

async function removeParents(parent: string): Promise<void> {
  const { removeCgroup } = await import('../cgroups/end-cgroup.ts');
  await removeCgroup(cgroupDirs(probeCgroups(), parent));
}

test('one that fails, or is none, is not chosen', { skip }, async () => {
  await using dir = await tempDir();
  assert.equal(await probeRuntime('/bin/false', dir.path, { parent: '/docker' }), false);
  assert.equal(await probeRuntime(join(dir.path, 'none'), dir.path, { parent: '/docker' }), false);
});

test('there is always one to run containers with, and configured ones beside it', { skip }, async () => {
  await using dir = await tempDir();
  const { byName, defaultName } = await chooseRuntime({
    execRoot: dir.path,
    dataRoot: dir.path,
    runtimes: { mine: { path: '/bin/true' } },
  });
  assert.equal(byName.has(defaultName) && byName.has('runc'), true);
  assert.deepEqual(byName.get('mine'), { binary: '/bin/true', root: join(dir.path, 'runtimes', 'mine') });
  const chosen = await chooseRuntime({
    execRoot: dir.path,
    dataRoot: dir.path,
    runtimes: { mine: { path: '/bin/true' } },
    default: 'mine',
  });
  assert.equal(chosen.defaultName, 'mine');
});

test('the answer of a probe is kept until the program changes', { skip }, async () => {
  if (findProgram('crun') === '') return;
  await using dir = await tempDir();
  const stamp = join(dir.path, 'runtimes', 'probed.json');
  await chooseRuntime({ execRoot: dir.path, dataRoot: dir.path });
  const told = JSON.parse(await readFile(stamp, 'utf8')) as Record<string, boolean>;
  const [key = ''] = Object.keys(told);
  await writeFile(stamp, JSON.stringify({ [key]: true }));
  assert.equal((await chooseRuntime({ execRoot: dir.path, dataRoot: dir.path })).defaultName, 'crun');
  await writeFile(stamp, 'not json');
  assert.equal((await chooseRuntime({ execRoot: dir.path, dataRoot: dir.path })).byName.has('crun'), told[key]);
});

test('what is configured wrongly is refused', { skip }, async () => {
  await using dir = await tempDir();
  const plain = join(dir.path, 'plain');
  await writeFile(plain, '');
  await chmod(plain, 0o644);
  const roots = { execRoot: dir.path, dataRoot: dir.path };
  await assert.rejects(chooseRuntime({ ...roots, default: 'nope' }), {
    kind: 'invalid',
    message: 'default-runtime: "nope" is not a runtime of this host',
  });
  await assert.rejects(chooseRuntime({ ...roots, runtimes: { x: { path: plain } } }), {
    kind: 'invalid',
    message: `runtime x: "${plain}" is not an executable file`,
  });
});
