import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDaemonFlags } from './flags.ts';
import { defaultUlimits, limitsConfig, setOomScore, ulimitFlags } from './limits-config.ts';

test('without a word there are dockerd’s limits', () => {
  assert.deepEqual(limitsConfig({}), { cgroupParent: '', defaultShmSize: 64 << 20, oomScoreAdjust: 0 });
  assert.deepEqual(defaultUlimits(undefined), []);
});

test('sizes as numbers and as words', () => {
  assert.equal(limitsConfig({ 'default-shm-size': 5_000_000 }).defaultShmSize, 5_000_000);
  assert.equal(limitsConfig({ 'default-shm-size': '128M' }).defaultShmSize, 128 << 20);
});

test('what makes no sense is refused by its key', () => {
  assert.throws(
    () => limitsConfig({ 'default-shm-size': 'lots' }),
    /^GantryError: default-shm-size: invalid size: 'lots'/u,
  );
  assert.throws(() => limitsConfig({ 'default-shm-size': 0 }), /default-shm-size: 0 is no size/u);
  assert.throws(() => limitsConfig({ 'cgroup-parent': '../x' }), /cgroup-parent: invalid cgroup parent/u);
  assert.throws(() => limitsConfig({ 'oom-score-adjust': 1001 }), /oom-score-adjust: 1001 is not within/u);
  assert.throws(() => defaultUlimits({ foo: { Soft: 1, Hard: 1 } }), /invalid ulimit type: foo/u);
  assert.throws(() => defaultUlimits({ nofile: { Soft: 2, Hard: 1 } }), /nofile: ulimit soft limit must be/u);
  assert.throws(() => ulimitFlags(['nofile']), /default-ulimit: invalid ulimit argument: nofile/u);
});

test('flags say the same as the file', () => {
  const flags = '--default-ulimit nofile=64:128 --default-ulimit core=0 --default-shm-size 8m --cgroup-parent /x';
  const { config } = parseDaemonFlags([...flags.split(' '), '--oom-score-adjust=-5']);
  assert.deepEqual(defaultUlimits(config['default-ulimits']), [
    { Name: 'nofile', Soft: 64, Hard: 128 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ]);
  assert.deepEqual(limitsConfig(config), { cgroupParent: '/x', defaultShmSize: 8 << 20, oomScoreAdjust: -5 });
});

test('the score is written, and where it may not be the setting is named', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-oom-'));
  try {
    setOomScore(5, join(dir, 'score'));
    assert.equal(readFileSync(join(dir, 'score'), 'utf8'), '5');
    assert.throws(() => setOomScore(-5, dir), { kind: 'invalid', message: /oom-score-adjust: cannot be set to -5/u });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
