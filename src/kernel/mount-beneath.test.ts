import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeBundle } from './bundle.ts';
import { mountBeneath } from './mount-beneath.ts';
import { mountPoints } from './mount-points.ts';

async function fixture() {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-beneath-'));
  const [root, bundle, places] = [join(dir, 'root'), join(dir, 'bundle'), join(dir, 'bundle/places')];
  for (const path of [root, places, join(root, 'a/b'), join(dir, 'outside')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(root, 'a/b/f'), 'within');
  writeFileSync(join(dir, 'outside/f'), 'outside');
  let count = 0;
  return {
    dir,
    root,
    places,
    mount: async (subpath: string) => {
      const place = join(places, String(count++));
      await mountBeneath({ root, subpath, place });
      return place;
    },
    [Symbol.asyncDispose]: async () => {
      await removeBundle(bundle);
      assert.equal(existsSync(bundle), false);
      assert.deepEqual(await mountPoints(dir), []);
      await rm(dir, { recursive: true });
    },
  };
}

test('a directory, a file and what links within lead to are mounted', async () => {
  await using it = await fixture();
  symlinkSync('../a/b', join(it.root, 'a/link'));
  symlinkSync('a/../a/b/f', join(it.root, 'file'));
  for (const path of ['a/b', 'a/link']) assert.deepEqual(readdirSync(await it.mount(path)), ['f'], path);
  for (const path of ['a/b/f', 'file', 'a/link/f']) {
    assert.equal(readFileSync(await it.mount(path), 'utf8'), 'within', path);
  }
});

test('what leads out, and what is not there, is not', async () => {
  await using it = await fixture();
  symlinkSync('/', join(it.root, 'top'));
  symlinkSync('../outside', join(it.root, 'beside'));
  symlinkSync('top/etc', join(it.root, 'far'));
  symlinkSync('loop', join(it.root, 'loop'));
  symlinkSync('/proc/self/root', join(it.root, 'magic'));
  for (const subpath of ['top', 'beside', 'beside/f', 'far', 'magic']) {
    await assert.rejects(it.mount(subpath), {
      kind: 'invalid',
      message: `path concatenation escapes the base directory, base: "${it.root}", subpath: "${subpath}"`,
    });
  }
  for (const [subpath, why] of [
    ['none', 'no such file or directory'],
    ['a/b/f/x', 'not a directory'],
    ['loop', 'too many levels of symbolic links'],
  ] as const) {
    const path = join(it.root, subpath);
    await assert.rejects(it.mount(subpath), {
      kind: 'not-found',
      message: `cannot access path "${path}": lstat ${path}: ${why}`,
    });
  }
  assert.deepEqual(readdirSync(it.places), []);
});

test('a link that comes and goes in the way never leads out', async () => {
  await using it = await fixture();
  const [at, kept, link] = ['a/b', 'kept', 'link'].map((name) => join(it.root, name)) as [string, string, string];
  symlinkSync('../../outside', link);
  const until = new AbortController();
  const swapping = (async () => {
    while (!until.signal.aborted) {
      await rename(at, kept);
      await rename(link, at);
      await rename(at, link);
      await rename(kept, at);
    }
  })();
  const seen = new Set<string>();
  for (let round = 0; round < 40; round++) {
    const found = await it.mount('a/b/f').then(
      (place) => readFileSync(place, 'utf8'),
      (error: Error) => error.message,
    );
    seen.add(found.replace(/[,:].*/su, ''));
  }
  until.abort();
  await swapping;
  assert.equal(seen.has('outside'), false);
  const known = ['within', 'path concatenation escapes the base directory', `cannot access path "${at}/f"`];
  assert.deepEqual(
    [...seen].filter((text) => !known.includes(text)),
    [],
  );
});
