import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { probeCgroups } from '../host/cgroup-facts.ts';
import { openGroupMoves, ownGroup } from './group-moves.ts';

const HYBRID = { version: 1, mounts: { cpu: '/c/cpu', freezer: '/c/freezer' }, unified: '/c/unified' } as const;
const VERSION_2 = { version: 2, mounts: {}, unified: '/c' } as const;

test('the engine finds the group it is in, in either version', () => {
  const lines = '9:name=systemd:/a\n5:cpu:/limited\n6:freezer:/b:c\n0::/d\n';
  assert.equal(ownGroup(HYBRID, lines), '/c/freezer/b:c');
  assert.equal(ownGroup(VERSION_2, '0::/system.slice/x.service\n'), '/c/system.slice/x.service');
  assert.equal(ownGroup(VERSION_2, '0::/\n'), '/c/');
});

test('there is none outside of its cgroup namespace, or without the hierarchy', () => {
  assert.equal(ownGroup(VERSION_2, '0::/../up\n'), undefined);
  assert.equal(ownGroup(HYBRID, '0::/d\n'), undefined);
  assert.equal(ownGroup({ ...HYBRID, mounts: {} }, '6:freezer:/b\n'), undefined);
});

test('work is done and fails as it does without, and the engine stays where it is', async () => {
  const moves = openGroupMoves(probeCgroups());
  const before = readFileSync('/proc/self/cgroup', 'utf8');
  const slow = moves.during(async () => {
    await sleep(30);
    return 'slow';
  });
  await assert.rejects(
    moves.during(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await slow, 'slow');
  assert.equal(await moves.during(async () => 'again'), 'again');
  assert.equal(readFileSync('/proc/self/cgroup', 'utf8'), before);
});

test('where there are no groups, work is done all the same', async () => {
  const moves = openGroupMoves({ version: 2, mounts: {}, unified: undefined });
  assert.equal(await moves.during(async () => 'done'), 'done');
});
