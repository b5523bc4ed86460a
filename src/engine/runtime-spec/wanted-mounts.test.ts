import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { MountSchema } from '../../spec/container.ts';
import { parseMountMode } from './mount-mode.ts';
import { testHostConfig } from './test-container.ts';
import { parseBind, parseMount, wantedMounts } from './wanted-mounts.ts';

const refusedBind = (spec: string, message: string) =>
  assert.throws(() => parseBind(spec), { kind: 'invalid', message });
const mount = (asked: object) => parseMount(v.parse(MountSchema, asked));
const refusedMount = (asked: { Type: string } & Record<string, unknown>, why: string) =>
  assert.throws(() => mount(asked), {
    kind: 'invalid',
    message: `invalid mount config for type "${asked.Type}": ${why}`,
  });

test('a bind: source, destination, mode', () => {
  const { type, source, destination, readOnly, label, propagation, mode, createSource } =
    parseBind('/a/:/b/../c/:ro,Z,rslave');
  assert.deepEqual([type, source, destination], ['bind', '/a', '/c']);
  assert.deepEqual([readOnly, label, propagation, mode, createSource], [true, 'Z', 'rslave', 'ro,Z,rslave', true]);
});

test('a bind may name a volume, or none', () => {
  assert.deepEqual([parseBind('data:/x:nocopy').type, parseBind('data:/x:nocopy').noCopy], ['volume', true]);
  const anonymous = parseBind('/x');
  assert.deepEqual([anonymous.type, anonymous.source, anonymous.destination], ['volume', '', '/x']);
});

test('what is no bind is refused in the words of Docker', () => {
  const config = (type: string, why: string) => `invalid mount config for type "${type}": ${why}`;
  const absolute = (path: string) => `invalid mount path: '${path}' mount path must be absolute`;
  refusedBind('foo', `invalid volume specification: 'foo': ${config('volume', absolute('foo'))}`);
  refusedBind('/a:b', `invalid volume specification: '/a:b': ${config('bind', absolute('b'))}`);
  refusedBind(
    '/a:/',
    `invalid volume specification: '/a:/': ${config('bind', "invalid specification: destination can't be '/'")}`,
  );
  refusedBind(
    '/a:/..',
    `invalid volume specification: '/a:/..': ${config('bind', "invalid specification: destination can't be '/'")}`,
  );
  refusedBind('/a:/b:xx', 'invalid mode: xx');
  refusedBind('/a:/b:ro,rw', 'invalid mode: ro,rw');
  refusedBind(':/c', "invalid volume specification: ':/c'");
  refusedBind('/a:ro', "invalid volume specification: '/a:ro'");
  refusedBind('/a:', "invalid volume specification: '/a:'");
  refusedBind(
    '/a:/b:nocopy',
    `invalid volume specification: '/a:/b:nocopy': ${config('bind', 'field VolumeOptions must not be specified')}`,
  );
  refusedBind(
    'v1:/b:rslave',
    `invalid volume specification: 'v1:/b:rslave': ${config('volume', 'field BindOptions must not be specified')}`,
  );
  refusedBind('/a:/b:ro:rw', "invalid volume specification: '/a:/b:ro:rw'");
});

test('of a mode each kind of word counts once', () => {
  assert.deepEqual(parseMountMode(''), { readOnly: false, label: '', propagation: '', noCopy: false });
  assert.deepEqual(parseMountMode('z,cached,rw'), { readOnly: false, label: 'z', propagation: '', noCopy: false });
  for (const wrong of ['z,Z', 'shared,slave', 'cached,delegated', 'ro,', 'RO', 'nocopy,nocopy']) {
    assert.equal(parseMountMode(wrong), undefined, wrong);
  }
});

test('a mount of type bind must exist unless told to be made', () => {
  const options = { Propagation: 'rshared', NonRecursive: true };
  const found = mount({ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: options });
  assert.deepEqual(
    [found.propagation, found.nonRecursive, found.readOnly, found.createSource],
    ['rshared', true, true, false],
  );
  const made = mount({ Type: 'bind', Source: '/a', Target: '/b', BindOptions: { CreateMountpoint: true } });
  assert.equal(made.createSource, true);
});

test('read-only below a bind: where possible, never, required', () => {
  const below = (options: object) =>
    mount({ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: options }).readOnlyBelow;
  assert.equal(below({}), 'where possible');
  assert.equal(below({ ReadOnlyNonRecursive: true }), 'never');
  assert.equal(below({ ReadOnlyForceRecursive: true, Propagation: 'rprivate' }), 'required');
  const bind = { Type: 'bind', Source: '/a', Target: '/b' };
  refusedMount(
    { ...bind, BindOptions: { ReadOnlyForceRecursive: true } },
    'mount must be readonly with ReadOnlyForceRecursive',
  );
});

test('what is no mount is refused in the words of Docker', () => {
  const bind = { Type: 'bind', Source: '/a', Target: '/b' };
  refusedMount({ ...bind, Source: 'a' }, "invalid mount path: 'a' mount path must be absolute");
  refusedMount({ ...bind, Source: '' }, 'field Source must not be empty');
  refusedMount({ ...bind, Target: '' }, 'field Target must not be empty');
  refusedMount({ ...bind, Target: 'x' }, "invalid mount path: 'x' mount path must be absolute");
  refusedMount({ ...bind, Target: '/' }, "invalid specification: destination can't be '/'");
  for (const Type of ['foo', '', 'constructor']) refusedMount({ ...bind, Type }, 'mount type unknown');
  refusedMount({ ...bind, Type: 'foo', Target: '' }, 'field Target must not be empty');
  refusedMount({ ...bind, VolumeOptions: {} }, 'field VolumeOptions must not be specified');
  refusedMount({ ...bind, BindOptions: { Propagation: 'foo' } }, 'invalid propagation mode: foo');
  refusedMount({ Type: 'tmpfs', Source: '/a', Target: '/b' }, 'field Source must not be specified');
  refusedMount({ Type: 'tmpfs', Target: '/b', BindOptions: {} }, 'field BindOptions must not be specified');
  refusedMount(
    { Type: 'volume', Target: '/b', ReadOnly: true },
    'must not set ReadOnly mode when using anonymous volumes',
  );
});

test('a mount of type image is read-only, of a part of it or all', () => {
  const image = { Type: 'image', Source: 'busybox', Target: '/i/' };
  const { type, source, destination, readOnly, subpath } = mount({ ...image, ImageOptions: { Subpath: 'etc/../bin' } });
  assert.deepEqual([type, source, destination, readOnly, subpath], ['image', 'busybox', '/i', true, 'bin']);
  for (const Subpath of ['/etc', '../etc', 'a/../../etc', '..']) {
    refusedMount({ ...image, ImageOptions: { Subpath } }, 'subpath must be a relative path within the volume');
  }
  refusedMount({ ...image, Source: '' }, 'field Source must not be empty');
  for (const field of ['BindOptions', 'VolumeOptions', 'TmpfsOptions']) {
    refusedMount({ ...image, [field]: {} }, `field ${field} must not be specified`);
  }
});

test('a part of a volume is one within it, of one with a name', () => {
  const volume = { Type: 'volume', Source: 'v', Target: '/v' };
  const of = (Subpath: string) => mount({ ...volume, VolumeOptions: { Subpath } }).subpath;
  assert.deepEqual(['', '.', './', 'a', 'a/', 'a/b/../c', 'a/..', '..a'].map(of), [
    '',
    '',
    '',
    'a',
    'a',
    'a/c',
    '',
    '..a',
  ]);
  for (const Subpath of ['/', '/a', '..', '../a', 'a/../../b', 'a/../..']) {
    refusedMount({ ...volume, VolumeOptions: { Subpath } }, 'subpath must be a relative path within the volume');
  }
  const nameless = { ...volume, Source: '', VolumeOptions: { Subpath: 'a' } };
  refusedMount(nameless, 'must not set Subpath when using anonymous volumes');
});

test('everything wanted, each place once', () => {
  const asked = { Binds: ['/a:/x'], Mounts: [{ Type: 'tmpfs', Target: '/y' }], Tmpfs: { '/z': 'ro' } };
  const mounts = wantedMounts(testHostConfig(asked));
  assert.deepEqual(
    mounts.map(({ type, from, readOnly }) => [type, from, readOnly]),
    [
      ['bind', 'Binds', false],
      ['tmpfs', 'Mounts', false],
      ['tmpfs', 'Tmpfs', true],
    ],
  );
  const twice = testHostConfig({ Binds: ['/tmp:/b', '/etc:/b/'] });
  assert.throws(() => wantedMounts(twice), { kind: 'invalid', message: 'Duplicate mount point: /b' });
  assert.throws(() => wantedMounts(testHostConfig({ Tmpfs: { x: '' } })), {
    kind: 'invalid',
    message: "invalid mount path: 'x' mount path must be absolute",
  });
});
