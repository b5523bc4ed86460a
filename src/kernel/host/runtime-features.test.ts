import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { whyNoRecursiveReadOnly } from './runtime-features.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-features-'));
after(() => rmSync(dir, { recursive: true }));

function runtime(name: string, script: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test('a runtime says itself whether it makes whole trees read-only', async () => {
  const able = runtime('able', `echo '{"mountOptions": ["ro", "rro"]}'`);
  const unable = runtime('unable', `echo '{"mountOptions": ["ro"]}'`);
  const old = runtime('old', 'exit 1');
  assert.equal(await whyNoRecursiveReadOnly('a', able), '');
  assert.equal(await whyNoRecursiveReadOnly('b', unable), 'rro is not supported by runtime "b"');
  const nothing = 'rro is not supported by runtime "c": OCI features struct is not available';
  assert.equal(await whyNoRecursiveReadOnly('c', old), nothing);
});
