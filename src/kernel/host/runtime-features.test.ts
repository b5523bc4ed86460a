import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runtimeFeatures } from './runtime-features.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-features-'));
after(() => rmSync(dir, { recursive: true }));

function runtime(name: string, script: string): { binary: string } {
  const binary = join(dir, name);
  writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { binary };
}

const ABLE = `echo '{"mountOptions": ["ro", "rro"]}'`;

test('a runtime says itself whether it makes whole trees read-only', async () => {
  const features = runtimeFeatures(
    new Map([
      ['a', runtime('able', ABLE)],
      ['b', runtime('unable', `echo '{"mountOptions": ["ro"]}'`)],
      ['c', runtime('old', 'exit 1')],
    ]),
  );
  assert.equal(await features.whyNoRecursiveReadOnly('a'), '');
  assert.equal(await features.whyNoRecursiveReadOnly('b'), 'rro is not supported by runtime "b"');
  const nothing = 'rro is not supported by runtime "c": OCI features struct is not available';
  assert.equal(await features.whyNoRecursiveReadOnly('c'), nothing);
  assert.equal(await features.whyNoRecursiveReadOnly('unknown'), '');
});

test('it is asked once by all who want to know, and again when it could not answer', async () => {
  const asked = join(dir, 'asked');
  // The first time there is nothing that it could answer.
  const features = runtimeFeatures(
    new Map([['late', runtime('late', `echo x >>${asked}; [ $(wc -l <${asked}) -gt 1 ] && ${ABLE}`)]]),
  );
  const both = () => Promise.all(['late', 'late'].map((name) => features.whyNoRecursiveReadOnly(name)));
  assert.match((await both()).join(), /not available,.*not available$/);
  assert.deepEqual(await both(), ['', '']);
  // Whoever asks now needs no runtime for it.
  rmSync(join(dir, 'late'));
  assert.deepEqual(await both(), ['', '']);
});
