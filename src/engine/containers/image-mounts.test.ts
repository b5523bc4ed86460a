import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { removeBundle } from '../../kernel/bundle.ts';
import { testContainer } from '../runtime-spec/test-container.ts';
import { mountImages } from './image-mounts.ts';

const mount = { type: 'image' as const, name: 'i', source: '', destination: '/i', driver: '', mode: '', rw: false };

function mounting(kind: 'directory' | 'file', paths: string[]) {
  const manner = { image: { id: 'sha256:1', kind, paths } };
  const container = { ...testContainer(), mounts: [{ ...mount, propagation: 'rprivate', manner }] };
  return mountImages(container, '/nowhere/bundle', (path) => `/mapped${path}`);
}

test('a file of an image is bound as it lies in its layer', async () => {
  assert.deepEqual(await mounting('file', ['/l/A/f']), new Map([['/i', '/mapped/l/A/f']]));
});

test('an image whose layers do not fit in a page is refused', async () => {
  await assert.rejects(mounting('directory', Array<string>(300).fill('/a/rather/long/path')), {
    kind: 'unsupported',
    message: 'image i has too many layers to be mounted at /i',
  });
});

const skip = process.getuid?.() === 0 ? false : 'needs root';

test('a mounted image is out of reach of the users of the host, and goes with the bundle', { skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-image-mounts-'));
  const bundle = join(dir, 'bundle');
  try {
    await mkdir(join(dir, 'layer'));
    await writeFile(join(dir, 'layer/f'), '');
    const manner = { image: { id: 'sha256:1', kind: 'directory' as const, paths: [join(dir, 'layer')] } };
    const mounts = [{ ...mount, propagation: 'rprivate', manner }];
    const graph = { ...testContainer().graph, upper: join(dir, 'upper') };
    const place = (await mountImages({ mounts, graph }, bundle, (path) => path)).get('/i') ?? '';
    assert.deepEqual(await readdir(place), ['f']);
    assert.equal((await stat(dirname(place))).mode & 0o777, 0o700);
    await removeBundle(bundle);
    assert.deepEqual((await readdir(dir)).toSorted(), ['layer', 'none']);
  } finally {
    await removeBundle(bundle);
    await rm(dir, { recursive: true });
  }
});
