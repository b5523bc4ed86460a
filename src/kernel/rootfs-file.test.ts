import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { run } from '../util/spawn.ts';
import { readRootfsFile } from './rootfs-file.ts';

const LIMIT = 1024;
const needsRoot = process.getuid?.() === 0 ? false : 'whiteouts and their attributes take root to make';

/** Layers, top first, each a map of path to content; a link is `-> target`. */
async function layers(...contents: Record<string, string>[]) {
  const root = await mkdtemp(join(tmpdir(), 'gantry-rootfs-'));
  const dirs = contents.map((_, at) => join(root, String(at)));
  for (const [at, files] of contents.entries()) {
    const dir = join(root, String(at));
    await mkdir(dir);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      if (content.startsWith('-> ')) await symlink(content.slice(3), join(dir, path));
      else await writeFile(join(dir, path), content);
    }
  }
  const read = async (path: string, limit = LIMIT) => (await readRootfsFile(dirs, path, limit))?.toString();
  return { root, dirs, read, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

const whiteout = (path: string) => run('mknod', [path, 'c', '0', '0']);

test('the top layer wins, and lower ones shine through', async () => {
  await using tree = await layers({ 'etc/a': 'top' }, { 'etc/a': 'low', 'etc/b': 'low' });
  assert.equal(await tree.read('/etc/a'), 'top');
  assert.equal(await tree.read('/etc/b'), 'low');
  assert.equal(await tree.read('/etc/c'), undefined);
  assert.equal(await tree.read('/nope/c'), undefined);
});

test('a file that covers a directory, and a directory that covers a file', async () => {
  await using tree = await layers({ x: 'file', 'y/z': 'inside' }, { 'x/z': 'hidden', y: 'hidden' });
  assert.equal(await tree.read('/x'), 'file');
  assert.equal(await tree.read('/x/z'), undefined);
  assert.equal(await tree.read('/y/z'), 'inside');
});

test('a whiteout hides a file, and a directory with what is in it', { skip: needsRoot }, async () => {
  await using tree = await layers({ 'etc/x': '' }, { 'etc/a': 'low', 'dir/b': 'low' });
  await whiteout(join(tree.root, '0/etc/a'));
  await whiteout(join(tree.root, '0/dir'));
  assert.equal(await tree.read('/etc/a'), undefined);
  assert.equal(await tree.read('/dir/b'), undefined);
});

test('an opaque directory hides what lies below it', { skip: needsRoot }, async () => {
  await using tree = await layers({ 'etc/x': 'top' }, { 'etc/a': 'low' });
  const archive = join(tree.root, 'opaque.tar');
  // tar is the one tool at hand that can set an extended attribute.
  const header = ['--format=posix', '--pax-option=SCHILY.xattr.trusted.overlay.opaque:=y'];
  await run('tar', ['-C', tree.dirs[0] ?? '', ...header, '-cf', archive, 'etc']);
  await run('tar', ['-C', tree.dirs[0] ?? '', '--xattrs', '--xattrs-include=*', '-xf', archive]);
  assert.equal(await tree.read('/etc/a'), undefined);
  assert.equal(await tree.read('/etc/x'), 'top');
});

test('links are followed inside the root, from one layer to another', async () => {
  await using tree = await layers(
    { 'etc/passwd': '-> ../usr/lib/passwd', lib: '-> /usr/lib' },
    { 'usr/lib/passwd': 'root', 'usr/lib/group': 'wheel' },
  );
  assert.equal(await tree.read('/etc/passwd'), 'root');
  assert.equal(await tree.read('/lib/group'), 'wheel');
  assert.equal(await tree.read('/lib/../lib/./group'), 'wheel');
});

test('no link leads out of the root', async () => {
  await using tree = await layers({
    up: `-> ${'../'.repeat(20)}etc/hostname`,
    absolute: '-> /etc/hostname',
    'etc/evil': '-> ../../../..',
    host: '-> /proc/self/root',
  });
  await writeFile(join(tree.root, 'secret'), 'host');
  assert.equal(await tree.read('/up'), undefined);
  assert.equal(await tree.read('/absolute'), undefined);
  assert.equal(await tree.read('/etc/evil/secret'), undefined);
  assert.equal(await tree.read('/host/etc/hostname'), undefined);
  assert.equal(await tree.read('/../secret'), undefined);
});

test('a circle of links is an error, and so is a directory', async () => {
  await using tree = await layers({ a: '-> b', b: '-> a', 'dir/x': '' });
  await assert.rejects(tree.read('/a'), { kind: 'invalid', message: '/a: too many levels of symbolic links' });
  await assert.rejects(tree.read('/dir'), { kind: 'invalid', message: '/dir: is a directory' });
});

test('what is no file is not opened: a FIFO would block, a device act', { skip: needsRoot }, async () => {
  await using tree = await layers({ 'etc/x': '' });
  await run('mkfifo', [join(tree.root, '0/etc/passwd')]);
  await run('mknod', [join(tree.root, '0/etc/group'), 'c', '1', '5']);
  await assert.rejects(tree.read('/etc/passwd'), { kind: 'invalid', message: '/etc/passwd: is not a regular file' });
  await assert.rejects(tree.read('/etc/group'), { kind: 'invalid', message: '/etc/group: is not a regular file' });
});

test('a file may be as large as the limit and no larger', async () => {
  await using tree = await layers({ a: 'x'.repeat(16) });
  assert.equal((await tree.read('/a', 16))?.length, 16);
  await assert.rejects(tree.read('/a', 15), { kind: 'invalid', message: '/a: larger than 15 bytes' });
});

test('layers may be named by links, and may be missing', async () => {
  await using tree = await layers({ a: 'here' });
  await symlink(tree.dirs[0] ?? '', join(tree.root, 'short'));
  const dirs = [join(tree.root, 'none'), join(tree.root, 'short')];
  assert.equal((await readRootfsFile(dirs, 'a', LIMIT))?.toString(), 'here');
});
