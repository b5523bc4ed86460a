import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../util/log.ts';
import { findShims, parseShimAddress } from './shim.ts';

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

test('what a killed daemon left of its shims is removed, however little that is', async () => {
  const root = await mkdtemp(join(tmpdir(), 'gantry-shims-'));
  const dir = join(root, 'shims');
  const gone = JSON.stringify({ address: `unix://${join(root, 'nobody')}`, version: 2 });
  const left: Record<string, Record<string, string>> = {
    'not-started': { 'config.json': '{}' },
    'half-removed': { 'address.json': gone },
    'half-written': { 'address.json': '{"addr', 'config.json': '{}' },
    'only-its-own-note': { address: `unix://${join(root, 'nobody')}`, 'address.json': '' },
  };
  for (const [id, files] of Object.entries(left)) {
    await mkdir(join(dir, id), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, id, name), text);
  }
  const home = { dir, eventSocket: join(root, 'events.sock'), namespace: 'gantry-test', log: silentLog() };
  assert.deepEqual(await findShims(home), []);
  assert.deepEqual(await readdir(dir), []);
  await rm(root, { recursive: true });
});
