import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostRoot, mapText, sameMapText, subordinateIds } from './id-map.ts';

const owner = { name: 'mapped', id: 500, kind: 'user' } as const;

test('the ranges of an owner, by name or number, follow each other inside', () => {
  const text = 'other:100000:65536\nmapped:300000:10\n\n500:200000:65536\nmapped:x:y\nmapped:1:0\n';
  const map = subordinateIds(text, owner);
  assert.deepEqual(map, [
    { container: 0, host: 200000, size: 65536 },
    { container: 65536, host: 300000, size: 10 },
  ]);
  assert.equal(mapText(map), '0 200000 65536\n65536 300000 10\n');
  assert.deepEqual(hostRoot({ uid: map, gid: map.toReversed() }), { uid: 200000, gid: 300000 });
});

test('a broken line gives nobody the host’s own root', () => {
  for (const line of ['x::65536', 'x:0:65536', 'x:-1:5', 'x: :5', 'x:1e5:5', 'x:5']) {
    assert.throws(() => subordinateIds(line, { name: 'x', id: 7, kind: 'user' }), /No subuid ranges found/, line);
  }
});

test('who has none cannot be remapped to', () => {
  assert.throws(() => subordinateIds('', owner), {
    kind: 'invalid',
    message: `Can't create ID mappings: No subuid ranges found for user "mapped"`,
  });
  assert.throws(() => subordinateIds('', { ...owner, kind: 'group' }), { message: /No subgid ranges found for group/ });
});

test('maps are the same however the kernel prints them', () => {
  assert.ok(sameMapText('         0     100000      65536\n', '0 100000 65536\n'));
  assert.ok(!sameMapText('', '0 100000 65536\n'));
});
