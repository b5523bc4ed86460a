import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TarEntry } from '../../src/util/tar/entry.ts';
import { inPieces, SNAPSHOT_OPTIONS, snapshot } from '../../src/util/tar/tar-fixture.ts';
import { TarReader } from '../../src/util/tar/tar-reader.ts';

/** All that a file system keeps about each file of a tree, by path: readable when two differ. */
export type Tree = Readonly<Record<string, string>>;

/** The tree below a directory. Its root is left out: Docker does not take over what an archive says of it. */
export const treeOf = (dir: string): Promise<Tree> => described(snapshot(dir));

/** The tree that an overlay mount of these directories shows, lowest first. */
export async function mergedTree(layers: readonly string[]): Promise<Tree> {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-merged-'));
  try {
    // One directory alone cannot be mounted.
    const lower = [...layers.toReversed(), dir].join(':');
    const script = 'mount -t overlay -o ro,lowerdir="$1" overlay "$2" && cd "$2" && shift 2 && exec tar "$@"';
    const args = ['-m', 'sh', '-c', script, 'sh', lower, dir, ...SNAPSHOT_OPTIONS];
    return await described(execFileSync('unshare', args, { maxBuffer: 1 << 29 }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Asserts that two trees are the same, and tells the first few differences. */
export function assertSameTree(actual: Tree, expected: Tree, what: string): void {
  const paths = [...new Set([...Object.keys(actual), ...Object.keys(expected)])];
  const different = paths.filter((path) => actual[path] !== expected[path]);
  const told = different
    .slice(0, 5)
    .map((path) => `${path}\n  is        ${actual[path]}\n  should be ${expected[path]}`);
  assert.equal(different.length, 0, `${what}: ${different.length} of ${paths.length} differ\n${told.join('\n')}`);
  assert.notEqual(paths.length, 0, `${what} is empty`);
}

async function described(archive: Buffer): Promise<Tree> {
  const reader = new TarReader(inPieces(archive, 1 << 20));
  const tree: Record<string, string> = {};
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const hash = createHash('sha256');
    for await (const piece of reader.body()) hash.update(piece);
    if (entry.name !== './') tree[entry.name] = `${attributes(entry)} ${hash.digest('hex').slice(0, 16)}`;
  }
  return tree;
}

function attributes({ type, mode, uid, gid, size, mtime, linkName, devMajor, devMinor, xattrs }: TarEntry): string {
  // Nobody ever sees when it was made.
  if (type === 'char' && devMajor === 0 && devMinor === 0) return 'whiteout';
  const attrs = [...xattrs].map(([name, value]) => `${name}=${value.toString('hex')}`).toSorted();
  const time = `${mtime.seconds}.${String(mtime.nanos).padStart(9, '0')}`;
  return [type, mode.toString(8), `${uid}:${gid}`, size, time, linkName, `${devMajor}:${devMinor}`, ...attrs].join(' ');
}
