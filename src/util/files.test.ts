import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ifExists, writeFileAtomic } from './files.ts';

const dir = await mkdtemp(join(tmpdir(), 'gantry-files-'));
after(() => rm(dir, { recursive: true }));

test('a file is replaced whole and nothing is left beside it', async () => {
  const path = join(dir, 'a');
  await writeFileAtomic(path, 'one', 0o600);
  await writeFileAtomic(path, 'two', 0o600);
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(dir), ['a']);
});

test('a write that cannot happen leaves nothing', async () => {
  await assert.rejects(writeFileAtomic(join(dir, 'none', 'b'), 'x'), /ENOENT/);
  assert.deepEqual(await readdir(dir), ['a']);
});

test('what does not exist is undefined, other failures are not hidden', async () => {
  assert.equal(await ifExists(() => readFile(join(dir, 'none'))), undefined);
  assert.equal(await ifExists(() => readFile(join(dir, 'a', 'below'))), undefined);
  await assert.rejects(
    ifExists(() => readFile(dir)),
    /EISDIR/,
  );
});
