import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

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

const entry = `import { enableCompileCache } from 'node:module';
enableCompileCache(new URL('../.gantry/compile-cache', import.meta.url).pathname);
await import('./cli.mjs');
`;

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/main/cli.ts', daemon: 'src/main/daemon.ts' },
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [engineApart],
  // Packages written for require() need one inside an ES module.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
await writeFile(join(out, 'gantry.mjs'), entry);
