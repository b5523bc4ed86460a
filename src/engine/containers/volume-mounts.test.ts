import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContainer } from '../runtime-spec/test-container.ts';
import type { Parts } from './parts.ts';
import { takeVolumes } from './volume-mounts.ts';

test('an image that is mounted in the container whose mounts are taken over is held from the first moment', async () => {
  const manner = { image: { id: 'sha256:1', kind: 'directory' as const, paths: [] } };
  const mount = { type: 'image' as const, name: 'i', source: '', destination: '/i', driver: '', mode: '', rw: false };
  const donor = { ...testContainer(), mounts: [{ ...mount, propagation: 'rprivate', manner }] };
  const held = new Set<string>();
  const parts = {
    registry: { find: () => ({ container: donor }) },
    images: {
      pin: (id: string) => {
        held.add(id);
        return { [Symbol.dispose]: () => void held.delete(id) };
      },
    },
  } as unknown as Parts;
  const { config, hostConfig } = testContainer({ HostConfig: { VolumesFrom: ['donor'] } });
  const taking = takeVolumes(parts, { id: 'borrower', config, hostConfig, layers: [] });
  assert.deepEqual([...held], ['sha256:1'], 'before anything is waited for');
  {
    await using volumes = await taking;
    assert.deepEqual(
      volumes.mounts.map(({ destination }) => destination),
      ['/i'],
    );
    assert.deepEqual([...held], ['sha256:1']);
  }
  assert.deepEqual([...held], []);
});
