import { type Compared, type ComparedFile, compareFiles } from '../../kernel/files/compare.ts';
import { FILE_TYPE } from '../../kernel/files/walk.ts';
import { nameText } from '../../util/tar/entry.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import type { PathChange } from '../engine.ts';

/** What a container changed of its image, in the order of paths. */
export async function changesOf(parts: Parts, tracked: Tracked, signal: AbortSignal): Promise<PathChange[]> {
  const { lower, upper } = tracked.container.graph;
  const view = { kind: 'pair', place: parts.paths.execs, lower, upper } as const;
  return judge(await Array.fromAsync(compareFiles(view, AbortSignal.any([signal, parts.leaving]))));
}

/**
 * Docker's rules: something is modified when its facts are, a directory also when anything below it is; what disappeared
 * with a directory is not named.
 */
export function judge(compared: readonly Compared[]): PathChange[] {
  const found = new Map<string, PathChange['kind']>();
  const directories = new Set(compared.filter(({ file }) => file !== undefined && isDir(file)).map(({ path }) => path));
  for (const one of compared) {
    const kind = kindOf(one);
    if (kind === undefined) continue;
    for (const above of parentsOf(one.path))
      if (!found.has(above) && directories.has(above)) found.set(above, 'modified');
    found.set(one.path, kind);
  }
  return [...found]
    .map(([path, kind]) => ({ path: nameText(path), kind }))
    .toSorted((a, b) => Number(a.path > b.path) - Number(a.path < b.path));
}

function kindOf({ file, before }: Compared): PathChange['kind'] | undefined {
  if (file === undefined) return 'deleted';
  if (before === undefined) return 'added';
  return differ(file, before) ? 'modified' : undefined;
}

/** Neither the size nor the time of a directory says that it changed. */
function differ(a: ComparedFile, b: ComparedFile): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.capability !== b.capability) return true;
  if (a.devMajor !== b.devMajor || a.devMinor !== b.devMinor) return true;
  return !isDir(a) && (a.size !== b.size || !sameTime(a.mtime, b.mtime));
}

/** Some file systems and archives keep whole seconds only. */
function sameTime(a: ComparedFile['mtime'], b: ComparedFile['mtime']): boolean {
  return a.seconds === b.seconds && (a.nanos === b.nanos || a.nanos === 0 || b.nanos === 0);
}

const isDir = ({ mode }: ComparedFile): boolean => (mode & FILE_TYPE) === 0o040000;

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`);
}
