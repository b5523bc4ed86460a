import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../util/spawn.ts';
import { mountPoints } from '../mount-points.ts';
import { openUserNamespace, removeUserNamespace } from './user-namespace.ts';

const root = process.getuid?.() === 0 ? {} : { skip: 'needs root to map ids' };
const MAPS = { uid: [{ container: 0, host: 300000, size: 1000 }], gid: [{ container: 0, host: 400000, size: 1000 }] };

async function roots(t: { after(work: () => Promise<void>): void }) {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-userns-'));
  const [execRoot, dataRoot] = [join(dir, 'exec'), join(dir, 'data')];
  t.after(async () => {
    await removeUserNamespace(execRoot);
    assert.deepEqual(await mountPoints(dir), []);
    await rm(dir, { recursive: true });
  });
  await chmod(dir, 0o711);
  const dirs = [join(dataRoot, 'd')];
  for (const path of [execRoot, dataRoot, ...dirs]) await mkdir(path);
  return { dir, execRoot, dataRoot, dirs };
}

test('what is stored as an id inside is seen as that id, and what is made is stored so', root, async (t) => {
  const { execRoot, dataRoot, dirs } = await roots(t);
  await chown(join(dataRoot, 'd'), 5, 6);
  const userns = await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
  assert.deepEqual(userns.root, { uid: 300000, gid: 400000 });
  const { mapped } = await userns.look();
  const seen = mapped(join(dataRoot, 'd'));
  const { uid, gid } = await stat(seen);
  assert.deepEqual([uid, gid], [300005, 400006]);
  const mapsInside = await run('nsenter', [`--user=${userns.path}`, '--', 'cat', '/proc/self/uid_map']);
  assert.match(mapsInside.stdout, /^\s+0\s+300000\s+1000\n$/);
  // As a container does that has it mounted.
  await run('sh', ['-c', `cd ${seen} && exec nsenter --setuid=0 --setgid=0 --user=${userns.path} touch made`]);
  const made = await stat(join(dataRoot, 'd', 'made'));
  assert.deepEqual([made.uid, made.gid], [0, 0]);
  assert.deepEqual(
    [mapped('/elsewhere'), mapped(dataRoot), mapped(`${dataRoot}/dd`)],
    ['/elsewhere', dataRoot, `${dataRoot}/dd`],
  );
});

test('root inside, and whoever has its id outside, finds no way to what is mapped', root, async (t) => {
  const { execRoot, dataRoot, dirs } = await roots(t);
  await writeFile(join(dataRoot, 'd', 'secret'), '');
  const userns = await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
  const seen = (await userns.look()).mapped(join(dataRoot, 'd', 'secret'));
  const { uid, gid } = userns.root;
  const outside = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const inside = ['nsenter', '--setuid=0', '--setgid=0', `--user=${userns.path}`, '--'];
  for (const [command = '', ...args] of [outside, inside]) {
    await assert.rejects(run(command, [...args, 'cat', seen]), /Permission denied/);
  }
});

test('a mount below a mapped directory keeps its own ids', root, async (t) => {
  const { execRoot, dataRoot, dirs } = await roots(t);
  const volume = join(dataRoot, 'd', 'volume');
  await mkdir(volume);
  const userns = await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
  const seen = async () => (await userns.look()).mapped(volume);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', volume]);
  try {
    assert.equal(await seen(), volume);
  } finally {
    await run('umount', [volume]);
  }
  assert.notEqual(await seen(), volume);
});

test('a mapped directory may be a file system of its own', root, async (t) => {
  const { execRoot, dataRoot, dirs } = await roots(t);
  const [dir = ''] = dirs;
  await run('mount', ['--bind', dir, dir]);
  try {
    const userns = await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
    assert.notEqual((await userns.look()).mapped(dir), dir);
  } finally {
    await run('umount', [dir]);
  }
});

test('the next daemon takes the namespace over if the maps are the same', root, async (t) => {
  const { execRoot, dataRoot, dirs } = await roots(t);
  const inode = async () => (await stat(join(execRoot, 'userns'))).ino;
  await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
  const first = await inode();
  await openUserNamespace({ execRoot, dataRoot, dirs }, MAPS);
  assert.equal(await inode(), first);
  const other = await openUserNamespace({ execRoot, dataRoot, dirs }, { ...MAPS, gid: MAPS.uid });
  assert.notEqual(await inode(), first);
  assert.equal((await mountPoints(execRoot)).length, 2);
  await other.remove();
  assert.deepEqual(await readdir(execRoot), []);
});

test('what cannot be mapped is told, and nothing stays', root, async (t) => {
  const { dir, execRoot, dataRoot, dirs } = await roots(t);
  await assert.rejects(openUserNamespace({ execRoot, dataRoot: '/proc', dirs: ['/proc/sys'] }, MAPS), {
    kind: 'unavailable',
    message: /^userns-remap takes a kernel \(5\.19 or newer\) and a file system at \/proc that can map ids: /,
  });
  assert.deepEqual(await readdir(execRoot), []);
  await chmod(dir, 0o700);
  await assert.rejects(openUserNamespace({ execRoot, dataRoot, dirs }, MAPS), {
    message: /restricts access .* 'o\+x'/,
  });
  await writeFile(join(dir, 'x'), '');
});
