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
  for (const path of [execRoot, dataRoot]) await mkdir(path);
  return { dir, execRoot, dataRoot };
}

test('what is stored as an id inside is seen as that id, and what is made is stored so', root, async (t) => {
  const { execRoot, dataRoot } = await roots(t);
  await mkdir(join(dataRoot, 'd'));
  await chown(join(dataRoot, 'd'), 5, 6);
  const userns = await openUserNamespace({ execRoot, dataRoot }, MAPS);
  assert.deepEqual(userns.root, { uid: 300000, gid: 400000 });
  const seen = userns.mapped(join(dataRoot, 'd'));
  const { uid, gid } = await stat(seen);
  assert.deepEqual([uid, gid], [300005, 400006]);
  const inside = ['nsenter', '--setuid=0', '--setgid=0', `--user=${userns.path}`, '--'] as const;
  const [command, ...args] = inside;
  await run(command, [...args, 'sh', '-c', `cat /proc/self/uid_map; stat -c %u:%g ${seen}; touch ${seen}/made`]);
  const made = await stat(join(dataRoot, 'd', 'made'));
  assert.deepEqual([made.uid, made.gid], [0, 0]);
  assert.equal(userns.mapped('/elsewhere'), '/elsewhere');
});

test('a mount below the data root keeps its own ids', root, async (t) => {
  const { execRoot, dataRoot } = await roots(t);
  const volume = join(dataRoot, 'volume');
  await mkdir(volume);
  const userns = await openUserNamespace({ execRoot, dataRoot }, MAPS);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', volume]);
  try {
    assert.equal(userns.mapped(volume), volume);
  } finally {
    await run('umount', [volume]);
  }
  assert.notEqual(userns.mapped(volume), volume);
});

test('the next daemon takes the namespace over if the maps are the same', root, async (t) => {
  const { execRoot, dataRoot } = await roots(t);
  const inode = async () => (await stat(join(execRoot, 'userns'))).ino;
  await openUserNamespace({ execRoot, dataRoot }, MAPS);
  const first = await inode();
  await openUserNamespace({ execRoot, dataRoot }, MAPS);
  assert.equal(await inode(), first);
  const other = await openUserNamespace({ execRoot, dataRoot }, { ...MAPS, gid: MAPS.uid });
  assert.notEqual(await inode(), first);
  assert.equal((await mountPoints(execRoot)).length, 2);
  await other.remove();
  assert.deepEqual(await readdir(execRoot), []);
});

test('what cannot be mapped is told, and nothing stays', root, async (t) => {
  const { dir, execRoot, dataRoot } = await roots(t);
  await assert.rejects(openUserNamespace({ execRoot, dataRoot: '/proc' }, MAPS), {
    kind: 'unavailable',
    message: /^userns-remap takes a kernel \(5\.19 or newer\) and a file system at \/proc that can map ids: /,
  });
  assert.deepEqual(await readdir(execRoot), []);
  await chmod(dir, 0o700);
  await assert.rejects(openUserNamespace({ execRoot, dataRoot }, MAPS), { message: /restricts access .* 'o\+x'/ });
  await writeFile(join(dir, 'x'), '');
});
