import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
import { fileURLToPath } from 'node:url';
enableCompileCache(fileURLToPath(new URL('../.gantry/compile-cache', import.meta.url)));
await import('./cli.mjs');
`;

/** Replaces a file at once: a command that starts meanwhile reads the old one or the new one. */
async function replace(name: string, text: string | Uint8Array): Promise<void> {
  const aside = join(out, `.${name}.${process.pid}`);
  await writeFile(aside, text);
  await rename(aside, join(out, name));
}

await mkdir(out, { recursive: true });
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/main/cli.ts', daemon: 'src/main/daemon.ts' },
  outdir: out,
  write: false,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [engineApart],
  // Packages written for require() need one inside an ES module.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
for (const { path, contents } of outputFiles) await replace(basename(path), contents);
await replace('gantry.mjs', entry);
