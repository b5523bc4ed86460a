import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packLocal, unpackLocal } from './local-archive.ts';
import { checkOutput, localSource, localTarget } from './local-paths.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-copy-'));
after(() => rmSync(dir, { recursive: true }));
mkdirSync(join(dir, 'd'));
writeFileSync(join(dir, 'd', 'f'), 'data');
symlinkSync('d', join(dir, 'l'));
symlinkSync('nowhere', join(dir, 'dangling'));

test('a link is copied as a link, or as what it leads to', () => {
  const at = (path: string) => `${dir}/${path}`;
  assert.deepEqual(localSource(at('l'), false), { path: at('l'), isDirectory: false, rename: '' });
  assert.deepEqual(localSource(at('l'), true), { path: at('d'), isDirectory: true, rename: 'l' });
  assert.deepEqual(localSource(at('l/'), false), { path: at('d/'), isDirectory: true, rename: 'l' });
  assert.throws(() => localSource(at('no'), false), { message: `lstat ${at('no')}: no such file or directory` });
});

test('a link that is copied to stands for its end', () => {
  assert.deepEqual(localTarget(`${dir}/l`), { path: `${dir}/d`, exists: true, isDirectory: true });
  assert.deepEqual(localTarget(`${dir}/dangling`), { path: `${dir}/nowhere`, exists: false, isDirectory: false });
  assert.throws(() => localTarget(`${dir}/no/no`), { message: 'no such directory' });
});

test('what cannot be written is refused first', () => {
  checkOutput(`${dir}/new`);
  checkOutput(dir);
  assert.throws(
    () => checkOutput(`${dir}/no/new`),
    /^ExitError: invalid output path: directory ".*\/no" does not exist$/,
  );
  assert.throws(() => checkOutput('/dev/null'), /must be a directory or a regular file: got a device/);
});

test('what is packed here is unpacked here', async () => {
  mkdirSync(join(dir, 'out'));
  await unpackLocal(packLocal(`${dir}/d`), `${dir}/out`);
  assert.equal(readFileSync(join(dir, 'out', 'd', 'f'), 'utf8'), 'data');
  await assert.rejects(unpackLocal(packLocal(`${dir}/missing`), `${dir}/out`));
});
