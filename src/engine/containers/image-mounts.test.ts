import assert from 'node:assert/strict';
import { test } from 'node:test';
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
