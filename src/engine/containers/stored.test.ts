import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContainer } from '../runtime-spec/test-container.ts';
import { fromRow, toRow } from './stored.ts';

const paths = {
  containers: '/data/containers',
  init: '/data/init',
  scratch: '/data/tmp',
  bundles: '/run/gantry/bundles',
  execs: '/run/gantry/execs',
};

const mounts = testContainer({
  HostConfig: {
    Binds: ['/:/host', '/a:/x:ro'],
    Mounts: [
      { Type: 'bind', Source: '/a', Target: '/alone', BindOptions: { NonRecursive: true } },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024 } },
    ],
  },
});

test('a row keeps how things are mounted', () => {
  assert.deepEqual(fromRow(toRow(mounts), paths).mounts, mounts.mounts);
});

test('in a row of an older version it is found again in what was asked for', () => {
  const row = toRow(mounts);
  const spec = JSON.parse(row.spec) as { mounts: { manner?: object; propagation: string }[] };
  // That version showed what is near the engine as private.
  const old = spec.mounts.map(({ propagation, ...mount }) => {
    return { ...mount, manner: undefined, propagation: propagation && 'rprivate' };
  });
  assert.deepEqual(fromRow({ ...row, spec: JSON.stringify({ ...spec, mounts: old }) }, paths).mounts, mounts.mounts);
});
