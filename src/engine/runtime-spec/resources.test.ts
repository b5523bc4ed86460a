import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerResources } from './resources.ts';
import { testHost, testHostConfig } from './test-container.ts';

const of = (asked: object) => containerResources(testHostConfig(asked), testHost());

test('nothing asked, nothing written', () => {
  assert.deepEqual(of({}), {});
  assert.deepEqual(of({ PidsLimit: -1, MemorySwappiness: -1, OomKillDisable: false }), {});
});

test('memory', () => {
  const asked = { Memory: 100, MemorySwap: 200, MemoryReservation: 50, MemorySwappiness: 0, OomKillDisable: true };
  const memory = { limit: 100, swap: 200, reservation: 50, swappiness: 0, disableOOMKiller: true };
  assert.deepEqual(of(asked), { memory });
  assert.deepEqual(of({ Memory: 100, MemorySwap: -1 }), { memory: { limit: 100 } });
});

test('a share of processors becomes a quota of a tenth of a second', () => {
  assert.deepEqual(of({ NanoCpus: 1_500_000_000 }), { cpu: { period: 100_000, quota: 150_000 } });
  assert.deepEqual(of({ CpuPeriod: 1000, CpuQuota: 500, CpuShares: 2 }), {
    cpu: { shares: 2, period: 1000, quota: 500 },
  });
  assert.deepEqual(of({ CpusetCpus: '0-1', CpusetMems: '0' }), { cpu: { cpus: '0-1', mems: '0' } });
  assert.deepEqual(of({ CpuRealtimePeriod: 9, CpuRealtimeRuntime: 5 }), {
    cpu: { realtimePeriod: 9, realtimeRuntime: 5 },
  });
});

test('block devices by their numbers', () => {
  const { blockIO } = of({
    BlkioWeight: 300,
    BlkioWeightDevice: [{ Path: '/dev/vda', Weight: 20 }],
    BlkioDeviceReadBps: [{ Path: '/dev/vda', Rate: 1 }],
    BlkioDeviceWriteBps: [{ Path: '/dev/vda', Rate: 2 }],
    BlkioDeviceReadIOps: [{ Path: '/dev/vda', Rate: 3 }],
    BlkioDeviceWriteIOps: [{ Path: '/dev/loop0', Rate: 4 }],
  });
  const vda = { major: 254, minor: 0 };
  assert.deepEqual(blockIO, {
    weight: 300,
    weightDevice: [{ ...vda, weight: 20 }],
    throttleReadBpsDevice: [{ ...vda, rate: 1 }],
    throttleWriteBpsDevice: [{ ...vda, rate: 2 }],
    throttleReadIOPSDevice: [{ ...vda, rate: 3 }],
    throttleWriteIOPSDevice: [{ major: 7, minor: 0, rate: 4 }],
  });
});

test('a device that is not there is refused as dockerd does', () => {
  assert.throws(() => of({ BlkioDeviceReadBps: [{ Path: '/dev/nope', Rate: 1 }] }), {
    kind: 'invalid',
    message: 'stat /dev/nope: no such file or directory',
  });
  assert.throws(() => of({ BlkioDeviceReadBps: [{ Path: '/etc/passwd', Rate: 1 }] }), { kind: 'invalid' });
});
