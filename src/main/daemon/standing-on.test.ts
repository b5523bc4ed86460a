import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tracked } from '../../engine/containers/tracked.ts';
import { standingOn } from './standing-on.ts';

const container = (id: string, status: string, lower: string[], imagePaths: string[] = []): Tracked =>
  ({
    container: { id, state: { status }, graph: { lower }, mounts: [{ manner: { image: { paths: imagePaths } } }] },
  }) as unknown as Tracked;

test('who runs on a layer, mounts it, or is just being started stands on it', async () => {
  await using bundles = await mkdtempDisposable(join(tmpdir(), 'gantry-standing-'));
  const all = [
    container('running', 'running', ['/l/a', '/init']),
    container('paused', 'paused', ['/l/a']),
    container('mounting', 'running', ['/l/b'], ['/l/a/etc']),
    container('elsewhere', 'running', ['/l/ab']),
    container('stopped', 'exited', ['/l/a']),
    container('starting', 'created', ['/l/a']),
  ];
  mkdirSync(join(bundles.path, 'starting'));
  assert.deepEqual(standingOn(all, bundles.path, '/l/a'), ['running', 'paused', 'mounting', 'starting']);
});
