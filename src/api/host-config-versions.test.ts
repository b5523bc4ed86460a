import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { HostConfigSchema, UpdateBodySchema } from '../spec/container.ts';
import {
  changesOfVersion,
  hostConfigOfVersion,
  refuseManyNetworks,
  volumeDriverWarnings,
} from './host-config-versions.ts';

const asked = (fields: Record<string, unknown>) => v.parse(HostConfigSchema, fields);

test('what came later is ignored, and what older clients take for granted is said', () => {
  const all = {
    AutoRemove: true,
    ConsoleSize: [3, 4],
    Annotations: { a: 'b' },
    KernelMemory: 7,
    KernelMemoryTCP: 8,
  };
  const seen = (api: number) => {
    const { AutoRemove, IpcMode, ConsoleSize, Annotations, KernelMemory, KernelMemoryTCP } = hostConfigOfVersion(
      asked(all),
      api,
    );
    return [AutoRemove, IpcMode, ConsoleSize, Annotations, KernelMemory, KernelMemoryTCP];
  };
  assert.deepEqual(seen(24), [false, 'shareable', [0, 0], {}, 7, 0]);
  assert.deepEqual(seen(39), [true, 'shareable', [0, 0], {}, 7, 0]);
  assert.deepEqual(seen(41), [true, '', [0, 0], {}, 7, 8]);
  assert.deepEqual(seen(42), [true, '', [3, 4], {}, 0, 8]);
  assert.deepEqual(seen(43), [true, '', [3, 4], { a: 'b' }, 0, 8]);
  assert.equal(hostConfigOfVersion(asked({ IpcMode: 'none' }), 39).IpcMode, 'none');
});

test('an update is read so, too', () => {
  const seen = (api: number) => {
    const { PidsLimit, KernelMemory } = changesOfVersion(
      v.parse(UpdateBodySchema, { PidsLimit: 5, KernelMemory: 7 }),
      api,
    );
    return [PidsLimit, KernelMemory];
  };
  assert.deepEqual(
    [seen(39), seen(41), seen(42)],
    [
      [null, 7],
      [5, 7],
      [5, 0],
    ],
  );
});

test('several networks at once need 1.44', () => {
  refuseManyNetworks(['a'], 43);
  refuseManyNetworks(['a', 'b'], 44);
  assert.throws(() => refuseManyNetworks(['a', 'b'], 43), {
    kind: 'invalid',
    message: 'Container cannot be created with multiple network endpoints: a, b',
  });
});

test('a driver for all volumes is told to be none for those of Mounts, since 1.48', () => {
  const mount = { Type: 'volume', Target: '/v' };
  const named = { ...mount, VolumeOptions: { DriverConfig: { Name: 'local' } } };
  const told = (api: number, mounts: object[], VolumeDriver = 'x') =>
    volumeDriverWarnings(asked({ VolumeDriver, Mounts: mounts }), api).length;
  assert.equal(told(48, [named, mount]), 1);
  assert.equal(told(47, [mount]), 0);
  assert.equal(told(48, [named]), 0);
  assert.equal(told(48, [mount], ''), 0);
});
