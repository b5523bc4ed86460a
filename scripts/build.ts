import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

// Two bundles, because the command line is started all the time and the engine once: what a command loads is felt.
const root = dirname(import.meta.dirname);
const out = join(root, 'dist');

/** Keeps the engine out of the command line's bundle: it is loaded by `gantry daemon` alone. */
const engineApart: Plugin = {
  name: 'engine-apart',
  setup: (setup) => {
    setup.onResolve({ filter: /\/daemon\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './daemon.mjs', external: true } : undefined,
    );
  },
};

const entry = `require('node:module').enableCompileCache(require('node:path').join(__dirname, '../.gantry/compile-cache'));
require('./cli.cjs');
`;

/** Replaces a file at once: a command that starts meanwhile reads the old one or the new one. */
async function replace(name: string, text: string | Uint8Array): Promise<void> {
  const aside = join(out, `.${name}.${process.pid}`);
  await writeFile(aside, text);
  await rename(aside, join(out, name));
}

async function bundle(entryPoint: string, options: BuildOptions): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outdir: out,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node26',
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [engineApart],
    ...options,
  });
  for (const { path, contents } of outputFiles ?? []) await replace(basename(path), contents);
}

await mkdir(out, { recursive: true });
// As CommonJS, so that a module of Node's is loaded when the command that needs it is, not at every start.
await bundle('src/main/cli.ts', { format: 'cjs', outExtension: { '.js': '.cjs' } });
await bundle('src/main/daemon.ts', {
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  // Packages written for require() need one inside an ES module.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
await replace('gantry.cjs', entry);
