import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, unavailable } from '../../util/errors.ts';
import { ifExists, writeFileAtomic } from '../../util/files.ts';
import type { RuntimeBinary } from '../shim/task-types.ts';
import { probeCgroups } from './cgroup-facts.ts';
import { configuredRuntime, type RuntimeWish } from './configured-runtime.ts';
import { findProgram } from './find-program.ts';
import { probeRuntime } from './probe-runtime.ts';
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

/** Fastest first. */
const BUILT_IN = ['crun', 'runc'] as const;

/**
 * Chooses the fastest OCI runtime that works here. A runtime found on the host is tried once with a real container; the
 * answer is kept below the exec root, that is until the next boot or until the program changes.
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
    if (binary === '' || (name !== 'runc' && !(await works(binary, root)))) continue;
    byName.set(name, { binary, root: join(root, name) });
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

/** The answer of the last probe of this very file, or a new one. */
async function works(binary: string, dir: string): Promise<boolean> {
  const { mtimeMs, size } = await stat(binary);
  const key = `${binary} ${size} ${mtimeMs}`;
  const stamp = join(dir, 'probed.json');
  const known = await readStamp(stamp);
  const before = known[key];
  if (before !== undefined) return before;
  const answer = await probeRuntime(binary, dir, probeCgroups());
  await writeFileAtomic(stamp, JSON.stringify({ ...known, [key]: answer }));
  return answer;
}

/** A stamp that cannot be read only costs another probe. */
async function readStamp(path: string): Promise<Record<string, boolean>> {
  const text = await ifExists(() => readFile(path, 'utf8'));
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    const entries = Object.entries(value ?? {});
    return Object.fromEntries(entries.filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'));
  } catch {
    return {};
  }
}
