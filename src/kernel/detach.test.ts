import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../util/spawn.ts';
import { detachAll } from './detach.ts';
import { mountPoints } from './mount-points.ts';

const skip = process.getuid?.() === 0 ? false : 'mounting needs root';

test('all that is mounted below a directory goes, and stays where it came from', { skip }, async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-detach-'));
  stack.defer(() => rm(dir, { recursive: true }));
  const [origin, place] = [join(dir, 'origin'), join(dir, 'place')];
  await mkdir(origin);
  await mkdir(join(place, 'bind'), { recursive: true });
  await run('mount', ['-t', 'tmpfs', 'tmpfs', origin]);
  stack.defer(() => detachAll(origin));
  await run('mount', ['--make-shared', origin]);
  await mkdir(join(origin, 'inner'));
  await run('mount', ['-t', 'tmpfs', 'tmpfs', join(origin, 'inner')]);
  await run('mount', ['--rbind', origin, join(place, 'bind')]);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', join(place, 'bind')]);

  await detachAll(place);
  assert.deepEqual(await mountPoints(place), []);
  assert.deepEqual((await mountPoints(origin)).toSorted(), [origin, join(origin, 'inner')]);
});
