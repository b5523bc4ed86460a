import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, rm, statfs, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './target.ts';

/** A disk of its own for the data root of an engine, which can be made full. */
export interface SmallDisk extends AsyncDisposable {
  /** Where an engine is to have its roots. */
  readonly roots: string;
  /** Leaves so many bytes free until the end of the scope. */
  fill(free: number): Promise<AsyncDisposable>;
}

/** @param size as `mount` takes it for a tmpfs, `24m`. */
export async function mountSmallDisk(size: string): Promise<SmallDisk> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-full-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  // A link, which goes away with the engine's roots while the disk is still mounted.
  const [data, roots] = [join(dir, 'disk'), join(dir, 'roots')];
  await mkdir(data);
  await mkdir(roots);
  await symlink(data, join(roots, 'data'));
  assert.equal((await command('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=711`, 'tmpfs', data])).code, 0);
  undo.defer(async () => void (await command('umount', ['-l', data])));
  const stack = undo.move();
  return { roots, fill: (free) => fill(data, free), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function fill(dir: string, free: number): Promise<AsyncDisposable> {
  const path = join(dir, 'filler');
  const { bavail, bsize } = await statfs(dir);
  await using file = await open(path, 'w');
  const block = Buffer.alloc(64 << 10);
  try {
    for (let left = bavail * bsize - free; left > 0; ) {
      left -= (await file.write(block, 0, Math.min(left, block.length))).bytesWritten;
    }
  } catch (error) {
    assert.match(String(error), /ENOSPC/);
  }
  return { [Symbol.asyncDispose]: () => rm(path) };
}
