import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupFacts } from '../host/cgroup-facts.ts';

/**
 * Freezes a control group without its runtime: sources are the kernel's `cgroup-v1/freezer-subsystem.rst` and `cgroup-v2.rst`.
 *
 * @param path is what the runtime was given: relative to the mount points, with a leading slash.
 */
export async function freezeGroup(
  { version, mounts, unified }: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>,
  path: string,
): Promise<void> {
  if (version === 2) await writeFile(join(unified ?? '/sys/fs/cgroup', path, 'cgroup.freeze'), '1');
  else await writeFile(join(mounts['freezer'] ?? '/sys/fs/cgroup/freezer', path, 'freezer.state'), 'FROZEN');
}
