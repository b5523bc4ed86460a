import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeSources } from './make-sources.ts';
import type { ContainerMount, MountManner } from './model.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-sources-'));
after(() => rmSync(dir, { recursive: true }));

const bind = (source: string, manner: MountManner = {}): ContainerMount => ({
  type: 'bind',
  name: '',
  source,
  destination: '/x',
  driver: '',
  mode: '',
  rw: true,
  propagation: 'rprivate',
  manner,
});

test('what is missing is made, with what is above it; what must be there is not', async () => {
  await makeSources([bind(join(dir, 'a/b'))]);
  await makeSources([bind(join(dir, 'a/b'))]);
  assert.ok(existsSync(join(dir, 'a/b')));
  const gone = join(dir, 'gone');
  await assert.rejects(makeSources([bind(gone, { sourceMustExist: true })]), {
    kind: 'invalid',
    message: `invalid mount config for type "bind": bind source path does not exist: ${gone}`,
  });
  assert.equal(existsSync(gone), false);
});

test('a file in the way is left to the runtime; where nothing can be made that is said, and does not take for ever', async () => {
  writeFileSync(join(dir, 'file'), '');
  await makeSources([bind(join(dir, 'file/x'))]);
  await assert.rejects(makeSources([bind('/proc/nope/x')]), {
    kind: 'invalid',
    message: "error while creating mount source path '/proc/nope/x': mkdir /proc/nope: no such file or directory",
  });
});
