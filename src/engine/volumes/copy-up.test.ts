import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyUp } from './copy-up.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const LAYERS = 100;

test('fills a volume from more layers than fit on a page by their names; not over a file', { skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-copy-up-'));
  try {
    const layers = Array.from({ length: LAYERS }, (_, at) => join(dir, `${at}-${'x'.repeat(100)}`));
    for (const [at, layer] of layers.entries()) {
      await mkdir(join(layer, 'etc'), { recursive: true });
      await writeFile(join(layer, 'etc', `of-${at}`), '');
      await writeFile(join(layer, 'etc', 'all'), 'x'.repeat(at + 1));
    }
    const [volume, scratch] = [join(dir, 'volume/_data'), join(dir, 'scratch')];
    await mkdir(volume, { recursive: true });
    await mkdir(scratch);
    const rest = { layers, volume, scratch, inPlace: false };
    const over = () => copyUp({ ...rest, path: '/etc/all' });
    await assert.rejects(over(), { kind: 'invalid', message: 'source /etc/all is not directory' });
    await copyUp({ ...rest, path: '/etc' });
    assert.equal((await readdir(volume)).length, LAYERS + 1);
    assert.equal((await stat(join(volume, 'all'))).size, 1, 'of the top layer');
    assert.deepEqual(await readdir(join(dir, 'volume')), ['_data']);
    // One that has content is left alone, whatever the image has.
    await over();
  } finally {
    await rm(dir, { recursive: true });
  }
});
