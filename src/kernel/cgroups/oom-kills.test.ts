import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { oomKills } from './oom-kills.ts';

test('kills are counted by either version, and a group that is gone has none', () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-oom-'));
  try {
    mkdirSync(join(root, 'x'));
    writeFileSync(join(root, 'x', 'memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
    writeFileSync(join(root, 'x', 'memory.events'), 'low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n');
    assert.equal(oomKills({ version: 1, mounts: { memory: root }, unified: undefined }, '/x'), 2);
    assert.equal(oomKills({ version: 2, mounts: {}, unified: root }, '/x'), 3);
    assert.equal(oomKills({ version: 1, mounts: { memory: root }, unified: undefined }, '/y'), 0);
    assert.equal(oomKills({ version: 1, mounts: {}, unified: undefined }, '/x'), 0);
  } finally {
    rmSync(root, { recursive: true });
  }
});
