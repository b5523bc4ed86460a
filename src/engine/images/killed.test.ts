import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerArchive, type ImagesFixture, imageOf, openImagesFixture, tarOf } from './images-fixture.ts';

const skip = process.getuid?.() === 0 ? false : 'unpacking layers needs root';
const files = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}`, 'x'.repeat(3000)]));
const image = imageOf([files, { top: 'y'.repeat(100_000) }]);
const archive = tarOf(dockerArchive([{ image, tags: ['x:1'] }]));

/** Every entry below the directories of layers, links and blobs. */
async function left({ store }: ImagesFixture): Promise<string[]> {
  const { layers, links, content, ingest } = store.dirs;
  const names = await Promise.all(
    [layers, links, join(content, 'sha256'), ingest].map((dir) => readdir(dir).catch(() => [])),
  );
  return names.flat();
}

/**
 * Feeds part of the archive to a child, waits, and kills it; then opens the data root again. The image must be whole or not
 * there, and then nothing else either.
 */
async function killAfter(fixture: ImagesFixture, bytes: number, ms: number): Promise<boolean> {
  await fixture.close();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load-child-fixture.ts'), fixture.dataRoot], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => {});
  await once(child.stdout, 'data');
  child.stdin.write(archive.subarray(0, bytes));
  if (bytes === archive.length) child.stdin.end();
  await sleep(ms);
  child.kill('SIGKILL');
  await exited;
  await fixture.reopen();
  const [found] = fixture.images.list({ all: true, filters: new Map() });
  if (found === undefined) {
    assert.deepEqual(await left(fixture), []);
    return false;
  }
  const dirs = fixture.images.lowerDirs(found);
  const names = await Promise.all(dirs.map((dir) => readdir(dir)));
  assert.equal(names.flat().length, 201);
  return true;
}

test('killed at any moment of loading or removing, nothing half-made is left', { skip, timeout: 120_000 }, async () => {
  await using fixture = await openImagesFixture();
  await fixture.reopen();
  assert.deepEqual(await left(fixture), []);
  for (const part of [0, 1000, archive.length / 2, archive.length - 2000]) {
    assert.equal(await killAfter(fixture, Math.floor(part), 50), false);
  }
  for (const ms of [5, 20, 40, 60, 90, 120, 160, 220, 400]) {
    const whole = await killAfter(fixture, archive.length, ms);
    if (whole)
      await fixture.images.remove('x:1', { force: true, noprune: false }).catch(() => fixture.images.prune(new Map()));
    assert.deepEqual(await left(fixture), []);
  }
});
