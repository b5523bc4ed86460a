import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Tracked } from '../../engine/containers/tracked.ts';
import { isRunning } from '../../engine/containers/wait.ts';

/**
 * Ids of the containers that have a directory of a layer mounted, or are just having it mounted: a bundle is there from before the mounts of a
 * start until after the end.
 *
 * @param bundles where the bundles are, each under the id of its container.
 */
export function standingOn(all: readonly Tracked[], bundles: string, dir: string): string[] {
  const needs = (path: string): boolean => path === dir || path.startsWith(`${dir}/`);
  const users = all.filter((tracked) => lowerDirsOf(tracked).some(needs));
  const up = users.filter((tracked) => isRunning(tracked) || existsSync(join(bundles, tracked.container.id)));
  return up.map(({ container }) => container.id);
}

/** Of its own file system, and of the images it mounts or the parts of them. */
const lowerDirsOf = ({ container: { graph, mounts } }: Tracked): string[] => [
  ...graph.lower,
  ...mounts.flatMap(({ manner }) => manner?.image?.paths ?? []),
];
