import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeSources } from './make-sources.ts';
import type { ContainerMount, MountManner } from './model.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-sources-'));
after(() => rmSync(dir, { recursive: true }));

const bind = (source: string, manner: MountManner = {}): ContainerMount => ({
  type: 'bind',
  name: '',
  source,
  destination: '/x',
  driver: '',
  mode: '',
  rw: true,
  propagation: 'rprivate',
  manner,
});

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const rooted = own.uid === 0 ? {} : { skip: 'needs root to give files away' };
const plain = { owner: own, sockets: [] };

test('what is missing is made, with what is above it; what must be there is not', async () => {
  await makeSources([bind(join(dir, 'a/b'))], plain);
  await makeSources([bind(join(dir, 'a/b'))], plain);
  assert.ok(existsSync(join(dir, 'a/b')));
  const gone = join(dir, 'gone');
  await assert.rejects(makeSources([bind(gone, { sourceMustExist: true })], plain), {
    kind: 'invalid',
    message: `invalid mount config for type "bind": bind source path does not exist: ${gone}`,
  });
  assert.equal(existsSync(gone), false);
});

test('a file in the way is left to the runtime; where nothing can be made that is said, and does not take for ever', async () => {
  writeFileSync(join(dir, 'file'), '');
  await makeSources([bind(join(dir, 'file/x'))], plain);
  await assert.rejects(makeSources([bind('/proc/nope/x')], plain), {
    kind: 'invalid',
    message: "error while creating mount source path '/proc/nope/x': mkdir /proc/nope: no such file or directory",
  });
});

test('what is made belongs to the root of the container, what is there stays whose it is', rooted, async () => {
  const there = join(dir, 'there');
  mkdirSync(there);
  await makeSources([bind(join(there, 'a/b'))], { owner: { uid: 7, gid: 8 }, sockets: [] });
  const owners = ['', 'a', 'a/b'].map((path) => statSync(join(there, path))).map(({ uid, gid }) => [uid, gid]);
  assert.deepEqual(owners, [
    [own.uid, own.gid],
    [7, 8],
    [7, 8],
  ]);
});

test('no directory is made where the engine listens, whatever way leads there', async () => {
  const socket = join(dir, 'run', 'engine.sock');
  mkdirSync(join(dir, 'run'));
  symlinkSync('run', join(dir, 'also-run'));
  for (const source of [socket, join(dir, 'also-run', 'engine.sock'), `${dir}/run/../run/engine.sock`]) {
    await assert.rejects(makeSources([bind(source)], { owner: own, sockets: ['/elsewhere/x', socket] }), {
      kind: 'invalid',
      message: `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    });
  }
  assert.equal(existsSync(socket), false);
  writeFileSync(socket, '');
  await makeSources([bind(socket)], { owner: own, sockets: [socket] });
});
