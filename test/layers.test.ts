import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';

/** What each layer may import besides itself. `main` is imported by none. */
const layers: Record<string, readonly string[]> = {
  util: [],
  spec: ['util'],
  kernel: ['util', 'spec'],
  store: ['util', 'spec'],
  remote: ['util', 'spec', 'store'],
  registry: ['util', 'spec', 'store'],
  engine: ['util', 'spec', 'kernel', 'store', 'remote'],
  build: ['util', 'spec', 'store', 'remote', 'engine'],
  api: ['util', 'spec', 'engine', 'build'],
  client: ['util', 'spec'],
  compose: ['util', 'spec', 'client'],
  machine: ['util', 'spec', 'client'],
  cli: ['util', 'spec', 'client', 'compose', 'machine'],
  main: [
    'util',
    'spec',
    'kernel',
    'store',
    'remote',
    'registry',
    'engine',
    'build',
    'api',
    'client',
    'compose',
    'machine',
    'cli',
  ],
};

const src = join(import.meta.dirname, '..', 'src');
const files = globSync('**/*.ts', { cwd: src }).map((file) => join(src, file));
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;
const layerOf = (file: string): string => relative(src, file).split(sep)[0] ?? '';

/** Every import of one source file by another, as the two layers and where it stands. */
function imports(file: string): { from: string; to: string; where: string }[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(IMPORT)].map(([, target = '']) => {
    const to = layerOf(resolve(file, '..', target));
    return { from: layerOf(file), to, where: `${relative(src, file)} imports ${target}` };
  });
}

test('every source file belongs to a layer', () => {
  assert.ok(files.length > 50, `only ${files.length} source files were found`);
  assert.deepEqual(
    files.filter((file) => !(layerOf(file) in layers)),
    [],
  );
});

test('imports go downward only', () => {
  const found = files.flatMap(imports);
  assert.ok(found.length > 100, `only ${found.length} imports were found`);
  const upward = found.filter(({ from, to }) => from !== to && !layers[from]?.includes(to));
  assert.deepEqual(
    upward.map(({ where }) => where),
    [],
  );
});
