import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '../../util/log.ts';
import { testHostConfig } from '../runtime-spec/test-container.ts';
import { requestedEdits } from './device-requests.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-requests-'));
after(() => rmSync(dir, { recursive: true }));
writeFileSync(
  join(dir, 'vendor.json'),
  JSON.stringify({
    cdiVersion: '0.6.0',
    kind: 'vendor.com/class',
    containerEdits: { env: ['COMMON=1'] },
    devices: [
      { name: 'a', containerEdits: { env: ['A=1'] } },
      { name: 'b', containerEdits: { env: ['B=1'] } },
    ],
  }),
);

function edits(requests: object[], cdiSpecDirs = [dir]) {
  const { DeviceRequests } = testHostConfig({ DeviceRequests: requests });
  return requestedEdits(DeviceRequests ?? [], { cdiSpecDirs, log: silentLog() });
}

test('devices of one file bring what they share once, before the first', async () => {
  const found = await edits([{ Driver: 'cdi', DeviceIDs: ['vendor.com/class=b', 'vendor.com/class=a'] }]);
  assert.deepEqual(
    found.map(({ env }) => env[0]),
    ['COMMON=1', 'B=1', 'A=1'],
  );
  assert.deepEqual(await edits([{ Driver: 'cdi' }]), []);
});

test('what nothing answers is refused in Docker’s words', async () => {
  const cases: [object, string, string[]?][] = [
    [{ Count: -1, Capabilities: [['gpu']] }, 'could not select device driver "" with capabilities: [[gpu]]'],
    [
      { Driver: 'x', Capabilities: [['gpu', 'a'], ['b']] },
      'could not select device driver "x" with capabilities: [[gpu a] [b]]',
    ],
    [{}, 'could not select device driver "" with capabilities: []'],
    [{ Driver: 'cdi', DeviceIDs: ['v/c=a'] }, 'could not select device driver "cdi" with capabilities: []', []],
    [
      { Driver: 'cdi', DeviceIDs: ['v/c=a', 'v/c=b'] },
      'CDI device injection failed: unresolvable CDI devices v/c=a, v/c=b',
    ],
    [{ Driver: 'cdi', Count: 1 }, 'unexpected count in CDI device request'],
    [{ Driver: 'cdi', Options: { a: 'b' } }, 'unexpected options in CDI device request'],
  ];
  for (const [request, message, dirs] of cases) {
    await assert.rejects(edits([request], dirs), { kind: 'invalid', message }, JSON.stringify(request));
  }
});
