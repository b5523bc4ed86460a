import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { HostConfigSchema, UpdateBodySchema } from '../../spec/container.ts';
import { liveResources, restoredResources } from './resources.ts';
import { testHost } from './test-container.ts';
import { changedHostConfig, validateUpdate } from './update-limits.ts';

const MB = 1 << 20;
const body = (changes: object) => v.parse(UpdateBodySchema, changes);
const before = (fields: object = {}) => v.parse(HostConfigSchema, fields);

test('what is not said stays', () => {
  const after = changedHostConfig(
    before({ Memory: 64 * MB, MemorySwap: 128 * MB, CpuShares: 5, PidsLimit: 7 }),
    body({ CpuShares: 512, RestartPolicy: { Name: 'always' } }),
  );
  assert.deepEqual(
    [after.Memory, after.MemorySwap, after.CpuShares, after.PidsLimit, after.RestartPolicy],
    [64 * MB, 128 * MB, 512, 7, { Name: 'always', MaximumRetryCount: 0 }],
  );
});

test('zero lifts the limit of processes, and says nothing of the others', () => {
  const limited = before({ PidsLimit: 50, CpuShares: 5 });
  for (const PidsLimit of [0, -1, -5]) {
    const after = changedHostConfig(limited, body({ PidsLimit, CpuShares: 0 }));
    assert.deepEqual([after.PidsLimit, after.CpuShares], [0, 5]);
  }
});

// Recorded from dockerd.
const CLASHES: [object, object, RegExp][] = [
  [{ Memory: 64 * MB, MemorySwap: 128 * MB }, { Memory: 256 * MB }, /already set memoryswap limit/u],
  [{}, { Memory: 32 * MB }, /already set memoryswap limit/u],
  [{ NanoCpus: 5e8 }, { CpuQuota: 20_000 }, /CPU Quota cannot be updated as NanoCPUs has/u],
  [{ NanoCpus: 5e8 }, { CpuPeriod: 50_000, CpuQuota: 20_000 }, /CPU Period cannot be updated as NanoCPUs has/u],
  [{ CpuPeriod: 50_000 }, { NanoCpus: 5e8 }, /Nano CPUs cannot be updated as CPU Period has/u],
  [{ CpuQuota: 50_000 }, { NanoCpus: 5e8 }, /Nano CPUs cannot be updated as CPU Quota has/u],
  [{ AutoRemove: true }, { RestartPolicy: { Name: 'always' } }, /AutoRemove is enabled/u],
];

test('changes that do not go with what the container has', () => {
  for (const [has, changes, message] of CLASHES) {
    assert.throws(() => changedHostConfig(before(has), body(changes)), { kind: 'conflict', message });
  }
  assert.doesNotThrow(() => changedHostConfig(before({ AutoRemove: true }), body({ RestartPolicy: { Name: 'no' } })));
});

const REFUSED: [object, RegExp][] = [
  [{ Memory: 1 }, /^Minimum memory limit allowed is 6MB$/u],
  [{ Memory: -1 }, /^Minimum memory limit allowed is 6MB$/u],
  [{ CpuPeriod: 5 }, /^CPU cfs period can not be less than 1ms/u],
  [{ CpuQuota: 5 }, /^CPU cfs quota can not be less than 1ms/u],
  [{ NanoCpus: -1 }, /^Range of CPUs is from 0\.01 to/u],
  [{ CpusetCpus: 'foo' }, /^Invalid value foo for cpuset cpus/u],
  [{ RestartPolicy: { Name: 'foo' } }, /^invalid restart policy 'foo'$/u],
  [{ RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } }, /^maximum retry count cannot be used/u],
  [{ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } }, /^maximum retry count cannot be negative$/u],
  [{ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }] }, /^Ulimits of a container cannot be changed/u],
  [{ IOMaximumIOps: 1 }, /^Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps$/u],
  [{ KernelMemory: 1 }, /^Minimum kernel memory limit allowed is 6MB$/u],
  [{ MemorySwappiness: 50 }, /^MemorySwappiness of a container cannot be changed/u],
];

test('changes that make no sense, or that a container cannot have any more', () => {
  for (const [changes, message] of REFUSED) {
    assert.throws(() => validateUpdate(body(changes), testHost()), { kind: 'invalid', message });
  }
});

test('what a client sends that says nothing is taken', () => {
  const quiet = {
    RestartPolicy: { MaximumRetryCount: 3 },
    MemorySwappiness: -1,
    OomKillDisable: false,
    Ulimits: [],
    Devices: null,
    CgroupParent: '',
  };
  assert.deepEqual(validateUpdate(body(quiet), testHost()), []);
});

test('a limit the kernel lacks is told and dropped', () => {
  const host = testHost();
  const changes = body({ BlkioWeight: 300, CpuShares: 9 });
  const warnings = validateUpdate(changes, { ...host, limits: { ...host.limits, blkioWeight: false } });
  assert.match(warnings.join(), /does not support Block I\/O weight/u);
  assert.deepEqual([changes.BlkioWeight, changes.CpuShares], [0, 9]);
});

test('a change that was taken in part is taken back, also where there was no limit', () => {
  const has = before({ Memory: 64 * MB, MemorySwap: 128 * MB, CpuQuota: 20_000 });
  const after = changedHostConfig(
    has,
    body({ MemorySwap: 256 * MB, MemoryReservation: 32 * MB, CpuShares: 5, CpusetCpus: '1', PidsLimit: 9 }),
  );
  assert.deepEqual(restoredResources(has, after, testHost()), {
    memory: { limit: 64 * MB, swap: 128 * MB, reservation: -1 },
    cpu: { quota: 20_000, shares: 1024, cpus: '0-1' },
    pids: { limit: -1 },
  });
  assert.deepEqual(restoredResources(after, after, testHost()), liveResources(after));
});

test('for a group that exists unlimited is said', () => {
  assert.deepEqual(liveResources(before({ Memory: 64 * MB, MemorySwap: -1, PidsLimit: 0, CpuQuota: -1 })), {
    memory: { limit: 64 * MB, swap: -1 },
    cpu: { quota: -1 },
    pids: { limit: -1 },
  });
});
