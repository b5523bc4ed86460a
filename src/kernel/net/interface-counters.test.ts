import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interfaceCounters, parseCounters } from './interface-counters.ts';

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
 tunl0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  eth0:     956      10    1    2    0     0          0         0      126       3    4    5    0     0       0          0
`;

test('the interfaces an engine gave, both ways', () => {
  assert.deepEqual(parseCounters(TEXT), {
    eth0: {
      rxBytes: 956,
      rxPackets: 10,
      rxErrors: 1,
      rxDropped: 2,
      txBytes: 126,
      txPackets: 3,
      txErrors: 4,
      txDropped: 5,
    },
  });
});

test('a process that is gone has none', () => {
  assert.deepEqual(interfaceCounters(2 ** 30), {});
});
