import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNumber } from '../../util/raw-number.ts';
import { readUsage } from './usage.ts';
import { usageV1 } from './usage-v1.ts';
import { usageV2 } from './usage-v2.ts';

const from = (files: Record<string, string>) => (_: string, file: string) => files[file];

// Recorded in a busybox container with 64 MiB that had written a megabyte.
const V1 = {
  'cpuacct.usage': '25621351\n',
  'cpuacct.usage_percpu': '15807544 9813807 \n',
  'cpuacct.stat': 'user 1\nsystem 2\n',
  'cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 1234567\nnr_bursts 0\n',
  'memory.usage_in_bytes': '323584\n',
  'memory.max_usage_in_bytes': '4345856\n',
  'memory.limit_in_bytes': '67108864\n',
  'memory.failcnt': '3\n',
  'memory.stat': 'cache 4096\nhierarchical_memsw_limit 9223372036854771712\ntotal_inactive_file 1024\n',
  'pids.current': '1\n',
  'pids.max': 'max\n',
  'blkio.throttle.io_service_bytes_recursive':
    '254:0 Read 0\n254:0 Write 1048576\n254:0 Sync 1048576\n254:0 Total 1048576\nTotal 1048576\n',
};

test('version 1: every figure in bytes and nanoseconds', () => {
  const { cpu, memory, pids, blockIo } = usageV1(from(V1));
  assert.deepEqual(cpu, {
    total: 25621351,
    perCpu: [15807544, 9813807],
    kernel: 20_000_000,
    user: 10_000_000,
    throttling: { periods: 5, throttledPeriods: 2, throttledTime: 1234567 },
  });
  assert.deepEqual(memory, {
    usage: 323584,
    maxUsage: 4345856,
    limit: 67108864,
    failures: 3,
    details: { cache: 4096, hierarchical_memsw_limit: rawNumber('9223372036854771712'), total_inactive_file: 1024 },
  });
  assert.deepEqual(pids, { current: 1, limit: undefined });
  assert.deepEqual(
    blockIo.bytes.map(({ op, value }) => [op, value]),
    [
      ['read', 0],
      ['write', 1048576],
      ['sync', 1048576],
      ['total', 1048576],
    ],
  );
  assert.deepEqual(blockIo.operations, []);
});

test('version 1: counters beyond 2^53 keep their digits', () => {
  assert.equal(
    JSON.stringify(usageV1(from(V1)).memory?.details),
    '{"cache":4096,"hierarchical_memsw_limit":9223372036854771712,"total_inactive_file":1024}',
  );
});

const V2 = {
  'cpu.stat':
    'usage_usec 25621\nuser_usec 20000\nsystem_usec 5621\nnr_periods 5\nnr_throttled 2\nthrottled_usec 1234\nnr_bursts 0\n',
  'memory.current': '323584\n',
  'memory.max': 'max\n',
  'memory.events': 'low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n',
  'memory.stat': 'anon 4096\nfile 0\ninactive_file 1024\n',
  'pids.current': '3\n',
  'pids.max': '50\n',
  'io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 \n',
};

test('version 2: the same from one tree', () => {
  const { cpu, memory, pids, blockIo } = usageV2(from(V2));
  assert.deepEqual(cpu, {
    total: 25_621_000,
    kernel: 5_621_000,
    user: 20_000_000,
    throttling: { periods: 5, throttledPeriods: 2, throttledTime: 1_234_000 },
  });
  assert.deepEqual(memory, {
    usage: 323584,
    limit: Number.MAX_SAFE_INTEGER,
    failures: 2,
    details: { anon: 4096, file: 0, inactive_file: 1024 },
  });
  assert.deepEqual(pids, { current: 3, limit: 50 });
  assert.deepEqual(blockIo.bytes.slice(0, 2), [
    { major: 8, minor: 0, op: 'read', value: 4096 },
    { major: 8, minor: 0, op: 'write', value: 8192 },
  ]);
  assert.deepEqual(
    blockIo.operations.map(({ value }) => value),
    [1, 2, 0, 0],
  );
});

test('a controller that is not there is not made up', () => {
  for (const read of [usageV1, usageV2]) {
    assert.deepEqual(read(from({})), {
      cpu: undefined,
      memory: undefined,
      pids: undefined,
      blockIo: { bytes: [], operations: [] },
    });
  }
});

test('a group that is gone uses nothing', () => {
  const cgroup = { version: 1, mounts: { memory: '/nosuch', pids: '/nosuch' }, unified: undefined } as const;
  assert.equal(readUsage(cgroup, '/docker/x'), undefined);
});
