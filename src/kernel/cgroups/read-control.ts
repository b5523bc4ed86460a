import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../util/errors.ts';
import type { CgroupFacts } from '../host/cgroup-facts.ts';

/** Reads a file of a control group by its controller; undefined when it is not there. */
export type ReadControl = (controller: string, file: string) => string | undefined;

/** `path` is what the runtime was given: relative to the mount points, with a leading slash. */
export function controlReader(cgroup: Pick<CgroupFacts, 'version' | 'mounts' | 'unified'>, path: string): ReadControl {
  const root = (controller: string) => (cgroup.version === 2 ? cgroup.unified : cgroup.mounts[controller]);
  return (controller, file) => {
    const mount = root(controller);
    return mount === undefined ? undefined : readControl(join(mount, path, file));
  };
}

/** Without waiting: such a file is made while it is read, and takes some microseconds. */
function readControl(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // A group that is removed while it is looked at answers ENODEV; some files are there and say EOPNOTSUPP.
    if (hasCode(error, 'ENOENT', 'ENODEV', 'ENOTDIR', 'EOPNOTSUPP', 'EINVAL')) return undefined;
    throw error;
  }
}
