import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { MountSchema } from '../spec/container.ts';
import { mountsOfVersion } from './mount-versions.ts';

const of = (asked: object, api: number) => mountsOfVersion([v.parse(MountSchema, asked)], api)[0];
const refused = (asked: object, api: number, message: string) =>
  assert.throws(() => of(asked, api), { kind: 'invalid', message });

test('what came later is refused by name', () => {
  const image = { Type: 'image', Source: 'busybox', Target: '/x' };
  refused(image, 47, 'Mount type "Image" needs API v1.48 or newer');
  assert.equal(of(image, 48)?.Type, 'image');
  const volume = { Type: 'volume', Source: 'v1', Target: '/x', VolumeOptions: { Subpath: 'a' } };
  refused(volume, 44, 'VolumeOptions.Subpath needs API v1.45 or newer');
  assert.equal(of(volume, 45)?.VolumeOptions?.Subpath, 'a');
  const bind = { Type: 'bind', Source: '/a', Target: '/x', BindOptions: { ReadOnlyForceRecursive: true } };
  refused(bind, 43, 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
  assert.equal(of(bind, 44)?.BindOptions?.ReadOnlyForceRecursive, true);
});

test('options of another type are refused since 1.42, and did nothing before', () => {
  const bind = { Type: 'bind', Source: '/a', Target: '/x', TmpfsOptions: { SizeBytes: 1 } };
  refused(bind, 42, 'TmpfsOptions must not be specified on mount type "bind"');
  assert.equal(of(bind, 41)?.TmpfsOptions, null);
  const tmpfs = { Type: 'tmpfs', Target: '/x', VolumeOptions: {} };
  refused(tmpfs, 51, 'VolumeOptions must not be specified on mount type "tmpfs"');
  assert.equal(of(tmpfs, 41)?.VolumeOptions, null);
});

test('old versions know no way to have a source made, older ones none to leave out what is below', () => {
  const options = { CreateMountpoint: true, NonRecursive: true };
  const shown = (api: number) => {
    const bind = of({ Type: 'bind', Source: '/a', Target: '/x', BindOptions: options }, api)?.BindOptions;
    return [bind?.CreateMountpoint, bind?.NonRecursive];
  };
  assert.deepEqual(
    [shown(42), shown(41), shown(39)],
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  );
});
