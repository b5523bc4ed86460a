import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomId } from '../../util/id.ts';
import { probeCgroups } from '../host/cgroup-facts.ts';
import { cgroupDirs } from './cgroup-dirs.ts';
import { cgroupPids } from './cgroup-pids.ts';
import { killCgroup, killGroupOf, removeCgroup } from './end-cgroup.ts';

/** Directories of a fresh group, in a hierarchy that takes processes without further set-up. */
function freshGroup(): string[] {
  const { mounts, unified, version } = probeCgroups();
  const root = version === 2 ? unified : (mounts['pids'] ?? mounts['freezer'] ?? unified);
  return root === undefined ? [] : [join(root, `gantry-test-${randomId().slice(0, 12)}`)];
}

const skip =
  process.getuid?.() !== 0 ? 'needs root to make control groups' : freshGroup().length === 0 ? 'no cgroups' : false;

/** A process that ignores everything that can be ignored. */
function stubborn(): ChildProcess {
  return spawn('sh', ['-c', 'trap "" TERM INT HUP; sleep 100 & wait; sleep 100'], { stdio: 'ignore' });
}

test('a group has a directory in every hierarchy, controllers mounted together share one', () => {
  const mounts = { cpu: '/c/cpu,cpuacct', cpuacct: '/c/cpu,cpuacct', memory: '/c/memory' };
  assert.deepEqual(cgroupDirs({ mounts, unified: '/c/unified' }, '/docker/ID'), [
    '/c/cpu,cpuacct/docker/ID',
    '/c/memory/docker/ID',
    '/c/unified/docker/ID',
  ]);
  assert.deepEqual(cgroupDirs({ mounts: {}, unified: '/c' }, '/a/b'), ['/c/a/b']);
});

test('processes in groups below count too, once each', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-cgroup-'));
  try {
    await mkdir(join(dir, 'a', 'b'), { recursive: true });
    await writeFile(join(dir, 'cgroup.procs'), '30\n7\n');
    await writeFile(join(dir, 'a', 'b', 'cgroup.procs'), '7\n0\n8\n');
    assert.deepEqual(await cgroupPids([dir, join(dir, 'none')]), [7, 8, 30]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a group is killed with all below it, and then removed', { skip }, async () => {
  const dirs = freshGroup();
  const [dir = ''] = dirs;
  const below = join(dir, 'below');
  await mkdir(below, { recursive: true });
  const children = [stubborn(), stubborn()];
  const ended = children.map((child) => new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal))));
  try {
    await writeFile(join(dir, 'cgroup.procs'), String(children[0]?.pid));
    await writeFile(join(below, 'cgroup.procs'), String(children[1]?.pid));
    const pids = await cgroupPids(dirs);
    assert.equal(
      children.every(({ pid }) => pids.includes(pid ?? 0)),
      true,
    );
    await removeCgroup(dirs);
    assert.equal(existsSync(below), true, 'a group in use stays');
    await killCgroup(dirs);
    assert.deepEqual(await cgroupPids(dirs), []);
    assert.deepEqual(await Promise.all(ended), ['SIGKILL', 'SIGKILL']);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await removeCgroup(dirs);
  }
  assert.equal(existsSync(dir), false);
  await removeCgroup(dirs);
  await killCgroup(dirs);
});

const { unified } = probeCgroups();
const cannotKill =
  skip || (unified === undefined || !existsSync(join(unified, 'cgroup.procs')) ? 'no cgroup of version 2' : false);

test('a group is killed with one write, if it holds the process', { skip: cannotKill }, async (t) => {
  const path = `/gantry-test-${randomId().slice(0, 12)}`;
  const dir = join(unified ?? '', path);
  await mkdir(dir);
  if (!existsSync(join(dir, 'cgroup.kill'))) return t.skip('the kernel is older than 5.14');
  const child = stubborn();
  const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  try {
    const pid = child.pid ?? 0;
    assert.equal(await killGroupOf(pid, { unified }, path), false, 'it is elsewhere');
    await writeFile(join(dir, 'cgroup.procs'), String(pid));
    assert.equal(await killGroupOf(pid, { unified: undefined }, path), false);
    assert.equal(await killGroupOf(pid, { unified }, `${path}/none`), false);
    assert.equal(await killGroupOf(pid, { unified }, path), true);
    assert.equal(await ended, 'SIGKILL');
  } finally {
    child.kill('SIGKILL');
    await killCgroup([dir]);
    await removeCgroup([dir]);
  }
});

test('a group that cannot be killed with one write is left to others, for whatever reason', async () => {
  const root = await mkdtemp(join(tmpdir(), 'gantry-cgroup-'));
  try {
    await mkdir(join(root, 'threaded', 'cgroup.procs'), { recursive: true });
    assert.equal(await killGroupOf(1, { unified: root }, '/threaded'), false);
  } finally {
    await rm(root, { recursive: true });
  }
});
