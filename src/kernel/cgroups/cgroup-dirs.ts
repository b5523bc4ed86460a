import { join } from 'node:path';
import type { CgroupFacts } from '../host/cgroup-facts.ts';

/**
 * The directories of a control group in every hierarchy of the host, whether they exist or not.
 *
 * `path` is what the OCI runtime was given: relative to the mount points, with a leading slash.
 */
export function cgroupDirs(cgroup: Pick<CgroupFacts, 'mounts' | 'unified'>, path: string): string[] {
  const roots = [...Object.values(cgroup.mounts), ...(cgroup.unified === undefined ? [] : [cgroup.unified])];
  return [...new Set(roots)].map((root) => join(root, path));
}
