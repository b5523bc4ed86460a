import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { tarOf } from '../../src/engine/images/images-fixture.ts';
import { startTestRegistry, type TestRegistry } from '../../src/remote/registry-fixture.ts';
import { eventually } from '../support/containers.ts';
import { expectSame } from '../support/expect-same.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const MB = 1 << 20;
/** What cannot be compressed: a blob is as large as its layer. */
const layers = [tarOf({ small: 'x' }), tarOf({ big: randomBytes(4 * MB) })];

describe('a pull that is interrupted', () => {
  const stack = new AsyncDisposableStack();
  let disk: SmallDisk;
  let engine: TestEngine;
  let registry: TestRegistry;
  let name = '';
  let big = '';

  before(async () => {
    registry = stack.use(await startTestRegistry());
    disk = stack.use(await mountSmallDisk('24m'));
    engine = stack.use(await startGantry([], { dir: disk.roots }));
    big = registry.addImage('app', 'latest', layers).layers[1] ?? '';
    name = `${registry.host}/app`;
  });
  after(() => stack.disposeAsync());

  const stored = async (): Promise<string[]> =>
    (
      await Promise.all(
        ['content/sha256', 'content/ingest', 'layers', 'l', 'tmp'].map((dir) => readdir(join(engine.dataRoot, dir))),
      )
    ).flat();
  const removed = async (): Promise<void> => {
    assert.equal((await engine.docker(['rmi', name])).code, 0);
    await expectSame(stored, []);
  };

  test('by a kill: the next one goes on where it was, and nothing else is left', async () => {
    const bytes = registry.blobs.get(big) ?? Buffer.alloc(0);
    registry.before = ({ url }, res) => {
      if (!url?.endsWith(big)) return false;
      res.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 3 * MB));
      return true;
    };
    const partial = join(engine.dataRoot, 'content/ingest', `${big.slice(7)}.partial`);
    const had = async (): Promise<number> => (await stat(partial).catch(() => ({ size: 0 }))).size;
    const broken = engine.docker(['pull', name]);
    await eventually('a part comes', async () => (await had()) >= MB);
    await engine.crash();
    assert.notEqual((await broken).code, 0);
    const kept = await had();
    await engine.start();
    await expectSame(stored, [`${big.slice(7)}.partial`]);

    registry.before = () => false;
    registry.headers.length = 0;
    const { code, stdout, stderr } = await engine.docker(['pull', name]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Status: Downloaded newer image/m);
    assert.deepEqual(
      registry.headers.flatMap(({ range }) => range ?? []),
      [`bytes=${kept}-`],
    );
    await removed();
  });

  test('by a disk that is full, while it fetches or unpacks: it leaves nothing, and works afterwards', async () => {
    for (const free of [0, 2 * MB, 6 * MB]) {
      await using _full = await disk.fill(free);
      const { code, stderr } = await engine.docker(['pull', name]);
      assert.notEqual(code, 0, `${free} bytes free`);
      assert.match(stderr, /no space left on device/);
      await expectSame(stored, []);
    }
    assert.equal((await engine.docker(['pull', name])).code, 0);
    await removed();
  });
});
