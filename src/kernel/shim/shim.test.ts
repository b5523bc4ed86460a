import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseShimAddress } from './shim.ts';

test('a bare address is the old task API', () => {
  assert.deepEqual(parseShimAddress('unix:///run/containerd/s/abc\n'), {
    address: 'unix:///run/containerd/s/abc',
    version: 2,
  });
});

test('newer shims say their version', () => {
  const output = '{"version":3,"address":"unix:///run/containerd/s/abc","protocol":"ttrpc"}\n';
  assert.deepEqual(parseShimAddress(output), { address: 'unix:///run/containerd/s/abc', version: 3 });
});

test('anything else is refused with what was printed', () => {
  for (const output of ['', 'usage: shim', '{"version":3}', '{"version":3,"address":"unix:///x","protocol":"grpc"}']) {
    assert.throws(() => parseShimAddress(output), /printed no address we understand/);
  }
});
