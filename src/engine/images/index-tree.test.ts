import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypes } from '../../spec/manifest.ts';
import { digestOf } from '../../util/digest.ts';
import { type IndexSource, readIndexTree } from './index-tree.ts';

/** Indexes kept in a map. */
function makeSource() {
  const documents = new Map<string, Buffer>();
  const read: string[] = [];
  const source: IndexSource = {
    has: (digest) => documents.has(digest),
    nameOf: (digest) => digest,
    read: async ({ digest }) => {
      read.push(digest);
      return documents.get(digest) ?? assert.fail(`${digest} is not here`);
    },
  };
  const put = (manifests: readonly object[]) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
    documents.set(digestOf(bytes), bytes);
    return { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length };
  };
  return { source, put, read };
}

const leaf = (name: string) => ({ mediaType: mediaTypes.ociManifest, digest: digestOf(name), size: 1 });
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const digests = (of: readonly { digest: string }[]): string[] => of.map(({ digest }) => digest);

test('entries of a nested index stand in its place, and one that is not here stands for itself', async () => {
  const { source, put } = makeSource();
  const inner = put([leaf('b')]);
  const elsewhere = { ...leaf('elsewhere'), mediaType: mediaTypes.ociIndex };
  const top = put([leaf('a'), inner, leaf('c'), elsewhere]);
  const tree = await readIndexTree(source, top);
  assert.deepEqual(digests(tree.entries), [...['a', 'b', 'c'].map((name) => digestOf(name)), elsewhere.digest]);
  assert.deepEqual(digests(tree.indexes), [inner.digest, top.digest]);
});

test('an index that is named many times is read once', async () => {
  const { source, put, read } = makeSource();
  const third = put([leaf('a')]);
  const second = put(times(400, third));
  const top = put(times(400, second));
  const { entries } = await readIndexTree(source, top);
  assert.deepEqual(digests(entries), [digestOf('a')]);
  assert.deepEqual(read, digests([top, second, third]));
});

test('too many entries in all of them together are refused', async () => {
  const { source, put } = makeSource();
  const parts = ['a', 'b', 'c'].map((name) => put(times(400, leaf(name))));
  await assert.rejects(readIndexTree(source, put(parts)), { kind: 'invalid', message: /too many manifests$/ });
});

test('indexes in indexes are refused from the fifth on', async () => {
  const { source, put } = makeSource();
  let top = put([leaf('a')]);
  for (let depth = 1; depth < 4; depth++) top = put([top]);
  assert.equal((await readIndexTree(source, top)).indexes.length, 4);
  await assert.rejects(readIndexTree(source, put([top])), { kind: 'invalid', message: /nested too deeply$/ });
});
