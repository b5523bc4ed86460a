import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagesUsage } from './usage.ts';

const SIZES: Record<string, number> = { base: 100, app: 10, other: 1 };
const sizeOf = (chainId: string): number => SIZES[chainId] ?? 0;

test('a layer of two images is counted once, and shared by both', () => {
  const images = [
    { id: 'a', chainIds: ['base', 'app'] },
    { id: 'b', chainIds: ['base', 'other'] },
  ];
  const { layers, shared } = imagesUsage(images, sizeOf);
  assert.equal(layers, 111);
  assert.deepEqual(
    [...shared],
    [
      ['a', 100],
      ['b', 100],
    ],
  );
});

test('two images of the same layers share everything', () => {
  const { layers, shared } = imagesUsage(
    [
      { id: 'a', chainIds: ['app'] },
      { id: 'b', chainIds: ['app'] },
    ],
    sizeOf,
  );
  assert.deepEqual([layers, ...shared.values()], [10, 10, 10]);
});

test('without images there is nothing', () => {
  assert.deepEqual(imagesUsage([], sizeOf), { layers: 0, shared: new Map() });
});
