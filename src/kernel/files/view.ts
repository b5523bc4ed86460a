import type { UserNamespace } from '../userns/user-namespace.ts';
import { field } from './frames.ts';

/** A mount that a stopped container has when it runs. `source` and `target` are paths on the host and in the container. */
export interface ViewMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The layers of an overlay, `lower` top first. */
export interface Layers {
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
}

/**
 * Whose files a worker sees. `place` is a directory on the host that is there; what is mounted on it, nobody else sees.
 *
 * - `tree`: a directory and what is in it, mounts included, with the ids of a user namespace, given as a file.
 * - `process`: what a process sees, the first of the container with that id. A walk enters no mount but those of `mounts`.
 * - `overlay`: what a stopped container has, with its mounts, with the ids of its user namespace.
 * - `pair`: an upper directory, unchanged, and all that lies below it.
 */
export type FileView =
  | { readonly kind: 'tree'; readonly root: string; readonly userns?: string }
  | { readonly kind: 'process'; readonly pid: number; readonly containerId: string; readonly mounts: readonly string[] }
  | ({
      readonly kind: 'overlay';
      readonly place: string;
      readonly mounts: readonly ViewMount[];
      /** Undefined: the host's. */
      readonly userns: Pick<UserNamespace, 'path' | 'root'> | undefined;
    } & Layers)
  | { readonly kind: 'pair'; readonly place: string; readonly lower: readonly string[]; readonly upper: string };

/** The view as the worker is told it. */
export function viewFields(view: FileView): Buffer[] {
  return [view.kind, ...viewArguments(view)].map((text) => field(Buffer.from(text)));
}

function viewArguments(view: FileView): string[] {
  if (view.kind === 'tree') return [view.root, view.userns ?? ''];
  if (view.kind === 'process') return [String(view.pid), view.containerId, ...view.mounts];
  if (view.kind === 'pair') return [view.place, view.upper, ...below(view.lower)];
  const { lower, upper, work, mounts, userns } = view;
  const options = `index=off,lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`;
  const told = mounts.flatMap(({ source, target, readOnly }) => [source, target, readOnly ? 'ro' : 'rw']);
  const { path = '', root = { uid: 0, gid: 0 } } = userns ?? {};
  return [path, String(root.uid), String(root.gid), view.place, options, ...told];
}

/** An overlay without an upper directory needs two layers. */
function below(lower: readonly string[]): string[] {
  const [only] = lower;
  if (only === undefined) return ['none', ''];
  return lower.length === 1 ? ['bind', only] : ['overlay', `lowerdir=${lower.join(':')}`];
}
