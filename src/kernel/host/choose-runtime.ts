import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, unavailable } from '../../util/errors.ts';
import type { RuntimeBinary } from '../shim/task-types.ts';
import { configuredRuntime, type RuntimeWish } from './configured-runtime.ts';
import { findProgram } from './find-program.ts';
import { type RuntimeFeatures, runtimeFeatures } from './runtime-features.ts';

/** The OCI runtimes that containers can ask for by name, and the one they get when they do not. */
export interface Runtimes extends RuntimeFeatures {
  readonly byName: ReadonlyMap<string, RuntimeBinary>;
  readonly defaultName: string;
}

export interface RuntimeWishes {
  readonly execRoot: string;
  readonly dataRoot: string;
  /** As configured, by name. */
  readonly runtimes?: Readonly<Record<string, RuntimeWish>> | undefined;
  /** Name of the default one, if configured. */
  readonly default?: string | undefined;
}

/** The preferred one first; others only when asked for by name, or when the preferred one is not there. */
const BUILT_IN = ['runc', 'crun'] as const;

/**
 * Finds the OCI runtimes of this host, beside those that are configured.
 *
 * @throws `invalid` when the configured default is unknown or a configured path is none, `unavailable` when nothing is
 * installed.
 */
export async function chooseRuntime(wishes: RuntimeWishes): Promise<Runtimes> {
  const root = join(wishes.execRoot, 'runtimes');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const byName = new Map<string, RuntimeBinary>();
  for (const name of BUILT_IN) {
    const binary = findProgram(name);
    if (binary !== '') byName.set(name, { binary, root: join(root, name) });
  }
  const dirs = { state: root, scripts: join(wishes.dataRoot, 'runtimes') };
  for (const [name, wish] of Object.entries(wishes.runtimes ?? {})) {
    byName.set(name, await configuredRuntime(name, wish, dirs));
  }
  const defaultName = wishes.default ?? BUILT_IN.find((name) => byName.has(name));
  if (defaultName === undefined) throw unavailable('no OCI runtime is installed: install runc or crun');
  if (!byName.has(defaultName)) throw invalid(`default-runtime: "${defaultName}" is not a runtime of this host`);
  return { byName, defaultName, ...runtimeFeatures(byName) };
}
