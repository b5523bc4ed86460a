import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeTree } from './remove-tree.ts';

/** The system call by its number. */
const RENAMEAT2 = process.arch === 'arm64' ? 276 : 316;

const dir = mkdtempSync(join(tmpdir(), 'gantry-remove-'));
after(() => rmSync(dir, { recursive: true }));

test('a tree goes with all that is in it, whatever the names and however deep', async () => {
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, ...Array<string>(200).fill('deep')), { recursive: true });
  writeFileSync(Buffer.from(`${tree}/\xff`, 'latin1'), '');
  mkdirSync(Buffer.from(`${tree}/deep/\xfe`, 'latin1'));
  await removeTree(tree);
  assert.deepEqual(readdirSync(dir), []);
});

test('a file, a link and nothing at all are no trees, and go as well', async () => {
  const outside = join(dir, 'outside');
  mkdirSync(join(outside, 'kept'), { recursive: true });
  const link = join(dir, 'link');
  symlinkSync(outside, link);
  await removeTree(link);
  writeFileSync(link, '');
  await removeTree(link);
  await removeTree(link);
  assert.equal(existsSync(link), false);
  assert.ok(existsSync(join(outside, 'kept')));
});

test('who puts links in the place of directories meanwhile loses nothing but the tree', async () => {
  const outside = join(dir, 'outside-of-race');
  mkdirSync(outside);
  const names = Array.from({ length: 50 }, (_, n) => `f${n}`);
  for (const name of names) writeFileSync(join(outside, name), '');
  // Swaps `a` and `b` without end. Source: renameat2(2), RENAME_EXCHANGE.
  const swap = `chdir shift; $| = 1; print "x"; my ($a, $b) = qw(a b); syscall(${RENAMEAT2}, -100, $a, -100, $b, 2) while 1`;
  for (let round = 0; round < 8; round++) {
    const tree = join(dir, `raced${round}`);
    mkdirSync(join(tree, 'a'), { recursive: true });
    for (const name of names) writeFileSync(join(tree, 'a', name), '');
    symlinkSync(outside, join(tree, 'b'));
    const swapper = spawn('perl', ['-e', swap, tree], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(swapper.stdout, 'data');
    // It may well give up: then the next start of an engine finishes the work.
    await removeTree(tree).catch(() => {});
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
    await removeTree(tree);
  }
  assert.deepEqual(readdirSync(outside).toSorted(), names.toSorted());
});
