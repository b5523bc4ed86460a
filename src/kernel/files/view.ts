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
 * - `tree`: a directory and what is in it, mounts included.
 * - `process`: what a process sees, the first of the container with that id. A walk enters no mount but those of `mounts`.
 * - `overlay`: what a stopped container has, with its mounts.
 * - `pair`: an upper directory, unchanged, and all that lies below it.
 */
export type FileView =
  | { readonly kind: 'tree'; readonly root: string }
  | { readonly kind: 'process'; readonly pid: number; readonly containerId: string; readonly mounts: readonly string[] }
  | ({ readonly kind: 'overlay'; readonly place: string; readonly mounts: readonly ViewMount[] } & Layers)
  | { readonly kind: 'pair'; readonly place: string; readonly lower: readonly string[]; readonly upper: string };

/** The view as the worker is told it. */
export function viewFields(view: FileView): Buffer[] {
  return [view.kind, ...viewArguments(view)].map((text) => field(Buffer.from(text)));
}

function viewArguments(view: FileView): string[] {
  if (view.kind === 'tree') return [view.root];
  if (view.kind === 'process') return [String(view.pid), view.containerId, ...view.mounts];
  if (view.kind === 'pair') return [view.place, view.upper, ...below(view.lower)];
  const { lower, upper, work, mounts } = view;
  const options = `index=off,lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`;
  const told = mounts.flatMap(({ source, target, readOnly }) => [source, target, readOnly ? 'ro' : 'rw']);
  return [view.place, options, ...told];
}

/** An overlay without an upper directory needs two layers. */
function below(lower: readonly string[]): string[] {
  const [only] = lower;
  if (only === undefined) return ['none', ''];
  return lower.length === 1 ? ['bind', only] : ['overlay', `lowerdir=${lower.join(':')}`];
}
