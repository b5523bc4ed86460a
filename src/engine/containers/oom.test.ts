import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testContainer, testHost } from '../runtime-spec/test-container.ts';
import { findOom } from './oom.ts';
import type { Parts } from './parts.ts';
import { track } from './tracked.ts';

/** A container whose control group is a directory. */
async function inGroup() {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-oom-'));
  const group = join(dir, 'docker', 'ID');
  await mkdir(group, { recursive: true });
  const tracked = track(testContainer());
  const warnings: string[] = [];
  const events: string[] = [];
  const parts = {
    host: testHost({ cgroup: { ...testHost().cgroup, mounts: { memory: dir } } }),
    registry: { byId: () => tracked },
    rows: { saveState: () => {} },
    events: { emit: ({ action }: { action: string }) => events.push(action) },
    log: { warn: (message: string) => warnings.push(message) },
  } as unknown as Parts;
  const file = join(group, 'memory.oom_control');
  return { tracked, parts, file, warnings, events, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

test('a kill that nobody told is found', async () => {
  await using it = await inGroup();
  await writeFile(it.file, 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n');
  findOom(it.parts, it.tracked);
  assert.equal(it.tracked.container.state.oomKilled, false);
  await writeFile(it.file, 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
  findOom(it.parts, it.tracked);
  findOom(it.parts, it.tracked);
  assert.equal(it.tracked.container.state.oomKilled, true);
  assert.equal(it.events.length, 1);
});

test('a group that cannot be read is told, and keeps nobody waiting', async () => {
  await using it = await inGroup();
  // Reading a directory fails in a way that no absent group does.
  await mkdir(it.file);
  findOom(it.parts, it.tracked);
  assert.equal(it.tracked.container.state.oomKilled, false);
  assert.equal(it.warnings.length, 1);
});
