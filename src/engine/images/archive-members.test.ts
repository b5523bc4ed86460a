import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import { archiveMembers, confined } from './archive-members.ts';
import { type PlainMember, plainHeader } from './plain-header.ts';

const read = async (bytes: Buffer): Promise<string[]> => {
  const seen: string[] = [];
  for await (const { path, type, target } of archiveMembers(Readable.from([bytes])))
    seen.push(`${type} ${path} ${target}`);
  return seen;
};
const member = (name: string, type: PlainMember['type'], target = ''): Buffer =>
  plainHeader({ name, type, mode: 0o644, target });

test('names and links are normalised', async () => {
  const bytes = Buffer.concat([
    member('./a/layer.tar', 'file'),
    member('b/layer.tar', 'symlink', '../a/layer.tar'),
    member('c', 'link', 'a/layer.tar'),
    member('d', 'directory'),
    TAR_END,
  ]);
  assert.deepEqual(await read(bytes), [
    'file a/layer.tar ',
    'link b/layer.tar a/layer.tar',
    'link c a/layer.tar',
    'other d ',
  ]);
});

test('nothing leads out of the archive', async () => {
  for (const name of ['../x', '/x', 'a/../../x', '..']) {
    await assert.rejects(read(member(name, 'file')), { kind: 'invalid' }, name);
    await assert.rejects(read(member('ok', 'symlink', name)), { kind: 'invalid' }, `link to ${name}`);
  }
  assert.equal(confined('a/../b'), 'b');
  assert.throws(() => confined('a\0b'), { kind: 'invalid' });
});

test('what is no archive or cut off is refused', async () => {
  await assert.rejects(read(Buffer.alloc(600, 'x')), { kind: 'invalid' });
  const cut = plainHeader({ name: 'a', type: 'file', mode: 0o644, size: 1000 });
  await assert.rejects(read(Buffer.concat([cut, Buffer.alloc(10)])), { kind: 'invalid', message: /unexpected EOF/ });
});
