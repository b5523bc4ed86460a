import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseRuntime } from './choose-runtime.ts';
import { findProgram } from './find-program.ts';

const skip = findProgram('runc') === '' && 'needs runc';

async function tempDir() {
  const path = await mkdtemp(join(tmpdir(), 'gantry-runtime-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('runc is taken unless another one is asked for, and configured ones stand beside it', { skip }, async () => {
  await using dir = await tempDir();
  const { byName, defaultName } = await chooseRuntime({
    execRoot: dir.path,
    dataRoot: dir.path,
    runtimes: { mine: { path: '/bin/true' } },
  });
  assert.equal(defaultName, 'runc');
  assert.equal(byName.has('crun'), findProgram('crun') !== '');
  assert.deepEqual(byName.get('mine'), { binary: '/bin/true', root: join(dir.path, 'runtimes', 'mine') });
  const chosen = await chooseRuntime({
    execRoot: dir.path,
    dataRoot: dir.path,
    runtimes: { mine: { path: '/bin/true' } },
    default: 'mine',
  });
  assert.equal(chosen.defaultName, 'mine');
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
