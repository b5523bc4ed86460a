import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { expectSame } from '../support/expect-same.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { assertNoTraces } from '../support/traces.ts';

// What archives of enemies try, and where it is refused: names, links, whiteouts, memory in `store/layer-rewriter.test.ts`; numbers, records and
// maps of holes in `util/tar/tar-reader.test.ts`; bombs, windows and damage in `util/compression.test.ts`; paths, links, digests, nesting and
// two documents in one in `engine/images/load.test.ts`. `scripts/fuzz` looks for what nobody thought of. Here a whole engine is attacked.

interface Entry {
  name: string;
  /** As in a tar header: 0 file, 1 hard link, 2 symbolic link, 5 directory. */
  type?: '0' | '1' | '2' | '5';
  link?: string;
  text?: string;
}

/** A tar of entries as they are, which no honest writer would make. */
function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, type = '0', link = '', text = '' }) => {
    const header = Buffer.alloc(512);
    const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, '0');
    header.write(name, 0, 100);
    header.write(octal(0o644, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(text.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write(`        ${type}`, 148);
    header.write(link, 157, 100);
    header.write('ustar\u000000', 257);
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte, 0),
        7,
      )}\0 `,
      148,
    );
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    body.write(text);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An image of one layer, as `docker save` wrote it. */
function imageOf(layer: Buffer): Buffer {
  const digest = createHash('sha256').update(layer).digest('hex');
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] } };
  const manifest = [{ Config: 'config.json', RepoTags: ['hostile:latest'], Layers: ['layer.tar'] }];
  return tarOf([
    { name: 'config.json', text: JSON.stringify(config) },
    { name: 'manifest.json', text: JSON.stringify(manifest) },
    { name: 'layer.tar', text: layer.toString('latin1') },
  ]);
}

describe('a layer that tries to leave its root', () => {
  let engine: TestEngine;
  /** Outside of every root of the engine; nothing may ever be written or read here. */
  const outside = mkdtempSync(join(tmpdir(), 'gantry-outside-'));
  before(async () => {
    engine = await startGantry();
    await writeFile(join(outside, 'secret'), 'untouched');
  });
  after(async () => {
    await rm(outside, { recursive: true });
    await engine[Symbol.asyncDispose]();
  });

  const up = '../'.repeat(12);
  const path = outside.slice(1);
  const attacks: Record<string, Entry[]> = {
    'by dots': [{ name: `${up}${path}/pwned`, text: 'x' }],
    'by dots inside a name': [{ name: `a/${up}${path}/pwned`, text: 'x' }],
    'by an absolute symbolic link': [
      { name: 'out', type: '2', link: outside },
      { name: 'out/pwned', text: 'x' },
    ],
    'by a relative symbolic link': [
      { name: 'out', type: '2', link: `${up}${path}` },
      { name: 'out/pwned', text: 'x' },
    ],
    'by a symbolic link to a file': [
      { name: 'out', type: '2', link: join(outside, 'secret') },
      { name: 'out', text: 'overwritten' },
    ],
    'by a hard link': [
      { name: 'stolen', type: '1', link: `${up}${path}/secret` },
      { name: 'stolen', text: 'overwritten' },
    ],
    'by a hard link through a symbolic link': [
      { name: 'out', type: '2', link: outside },
      { name: 'stolen', type: '1', link: 'out/secret' },
    ],
  };

  for (const way of ['import', 'load'] as const) {
    for (const [name, entries] of Object.entries(attacks)) {
      test(`${name}: ${way}`, async () => {
        const layer = tarOf(entries);
        const stored = await below(engine);
        const args = way === 'import' ? ['import', '-', 'hostile'] : ['load'];
        const { code, stderr } = await engine.docker(args, { input: way === 'import' ? layer : imageOf(layer) });
        assert.deepEqual(await readdir(outside), ['secret']);
        assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'untouched');
        assert.ok(!existsSync('/pwned'));
        if (code === 0) {
          // Confined: it is an image like any other, and goes as one.
          const removed = await engine.docker(['rmi', '-f', 'hostile']);
          assert.equal(removed.code, 0, removed.stderr);
        } else {
          assert.notEqual(stderr, '');
          assert.equal((await engine.api('GET', '/images/hostile/json')).status, 404);
        }
        await expectSame(() => below(engine), stored);
      });
    }
  }

  test('nothing is left', () => assertNoTraces(engine));
});

/** Every blob, layer and file in the making. */
async function below({ dataRoot }: TestEngine): Promise<string[]> {
  const dirs = ['content/sha256', 'content/ingest', 'layers', 'l', 'tmp'].map((name) => join(dataRoot, name));
  return (await Promise.all(dirs.map((dir) => readdir(dir)))).flat();
}
