import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeCgroups } from './cgroup-facts.ts';
import { probeLimits } from './limit-facts.ts';

const host = (files: Record<string, string>) => (path: string) => files[path];

const V1 = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd`;
const UNIFIED = '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
const COPY = '60 59 0:32 / /chroot/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory';
const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';

test('version 1: each controller where it is mounted first', () => {
  const facts = probeCgroups(
    host({
      '/proc/self/mountinfo': `${V1}\n${COPY}\n`,
      '/sys/fs/cgroup/cpuset/cpuset.cpus': '0-3\n',
      '/sys/fs/cgroup/cpuset/cpuset.mems': '0\n',
    }),
  );
  assert.deepEqual([facts.version, facts.hybrid, facts.unified], [1, false, undefined]);
  assert.deepEqual(facts.mounts, {
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
    cpuset: '/sys/fs/cgroup/cpuset',
    memory: '/sys/fs/cgroup/memory',
    'name=systemd': '/sys/fs/cgroup/systemd',
  });
  assert.deepEqual([...facts.controllers], ['cpu', 'cpuacct', 'cpuset', 'memory']);
  assert.deepEqual([facts.cpus, facts.mems], ['0-3', '0']);
});

test('hybrid: version 1 with a version 2 tree beside it', () => {
  const files = {
    '/proc/self/mountinfo': `${V1}\n${UNIFIED}`,
    '/sys/fs/cgroup/unified/cgroup.controllers': 'hugetlb\n',
  };
  const facts = probeCgroups(host(files));
  assert.deepEqual([facts.version, facts.hybrid, facts.unified], [1, true, '/sys/fs/cgroup/unified']);
  assert.equal(facts.controllers.has('hugetlb'), true);
});

test('version 2 alone', () => {
  const facts = probeCgroups(
    host({
      '/proc/self/mountinfo': V2,
      '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
      '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
    }),
  );
  assert.deepEqual([facts.version, facts.hybrid, facts.unified, facts.cpus], [2, false, '/sys/fs/cgroup', '0-7']);
  assert.deepEqual([...facts.controllers], ['cpuset', 'cpu', 'io', 'memory', 'pids']);
});

test('without control groups nothing can be limited', () => {
  const facts = probeCgroups(host({}));
  assert.deepEqual([facts.version, facts.controllers.size], [1, 0]);
  assert.equal(Object.values(probeLimits(facts, () => true)).includes(true), false);
});

test('limits: on version 1 by the files of the controllers', () => {
  const facts = probeCgroups(host({ '/proc/self/mountinfo': V1 }));
  const there = new Set(['/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes', '/sys/fs/cgroup/cpu,cpuacct/cpu.shares']);
  const limits = probeLimits(facts, (path) => there.has(path));
  assert.deepEqual([limits.memory, limits.swap, limits.cpuShares, limits.cpuset], [true, true, true, true]);
  assert.deepEqual(
    [limits.cpuCfsQuota, limits.pids, limits.blkioWeight, limits.oomKillDisable],
    [false, false, false, false],
  );
});

test('limits: on version 2 by its controllers, some are gone for good', () => {
  const files = { '/proc/self/mountinfo': V2, '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n' };
  const limits = probeLimits(probeCgroups(host(files)), () => true);
  assert.deepEqual([limits.memory, limits.swap, limits.cpuCfsQuota], [true, true, true]);
  assert.deepEqual([limits.oomKillDisable, limits.memorySwappiness, limits.cpuRealtime], [false, false, false]);
  assert.deepEqual([limits.pids, limits.cpuset, limits.blkioThrottle], [false, false, false]);
});

test('limits: swap on version 2, by the group this process is in', () => {
  const files = { '/proc/self/mountinfo': V2, '/sys/fs/cgroup/cgroup.controllers': 'memory\n' };
  const facts = probeCgroups(host(files));
  const swap = (there: string, own?: string) => probeLimits(facts, (path) => path === there, own).swap;
  assert.equal(swap('/sys/fs/cgroup/system.slice/memory.swap.max', '/system.slice'), true);
  assert.equal(swap('/proc/swaps', '/system.slice'), false);
  assert.equal(swap('/proc/swaps', '/'), true);
});
