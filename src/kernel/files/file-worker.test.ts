import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openExtraction } from './extraction.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root to change the root' };
const owner = { uid: 0, gid: 0, mtime: { seconds: 0, nanos: 0 }, devMajor: 0, devMinor: 0 };

test('a worker that gave up while much was being written to it says why', {
  ...needsRoot,
  timeout: 60_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), 'gantry-worker-'));
  try {
    await writeFile(join(root, 'file'), 'x');
    for (const pause of [0, 0, 0, 1, 5, 50]) {
      await using target = await openExtraction({ kind: 'tree', root }, '/', true, new AbortController().signal);
      const refused = async () => {
        const entry = {
          ...owner,
          name: 'file',
          linkName: '',
          mode: 0o755,
          size: 0,
          xattrs: new Map<string, Buffer>(),
        };
        await target.add({ ...entry, type: 'directory' });
        // It gives up somewhere in here: before, while or after the pipe is full.
        for (let i = 0; i < 20; i++) {
          await target.data(Buffer.alloc(100_000));
          await sleep(pause);
        }
        await target.finish();
      };
      await assert.rejects(refused(), /cannot overwrite non-directory/);
    }
  } finally {
    await rm(root, { recursive: true });
  }
});
