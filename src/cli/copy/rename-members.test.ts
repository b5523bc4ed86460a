import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveOf, inPieces } from '../../util/tar/tar-fixture.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';
import { renameMembers } from './rename-members.ts';

async function renamed(from: string, to: string, archive: Buffer): Promise<string[]> {
  const reader = new TarReader(renameMembers(inPieces(archive, 700), { from, to }));
  const found: string[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    found.push(`${entry.type} ${entry.name} ${entry.linkName}${String(await reader.readAll(100))}`);
  }
  return found;
}

test('names and the names that hard links mean begin anew; symbolic links stay', async () => {
  const archive = archiveOf([
    { name: 'old/', type: 'directory' },
    { name: 'old/old', data: 'data' },
    { name: 'old/hard', type: 'link', linkName: 'old/old' },
    { name: 'old/soft', type: 'symlink', linkName: 'old/old' },
  ]);
  assert.deepEqual(await renamed('old', 'ne\u00fc', archive), [
    'directory ne\u00c3\u00bc/ ',
    'file ne\u00c3\u00bc/old data',
    'link ne\u00c3\u00bc/hard ne\u00c3\u00bc/old',
    'symlink ne\u00c3\u00bc/soft old/old',
  ]);
});

test('what is below the root goes below a name', async () => {
  const archive = archiveOf([
    { name: '/', type: 'directory' },
    { name: '/etc/x', data: 'y' },
  ]);
  assert.deepEqual(await renamed('/', 'all', archive), ['directory all/ ', 'file all/etc/x y']);
});
