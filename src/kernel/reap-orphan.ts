import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ifExists } from '../util/files.ts';
import { cgroupDirs } from './cgroups/cgroup-dirs.ts';
import { killCgroup, removeCgroup } from './cgroups/end-cgroup.ts';
import { detachAll } from './detach.ts';
import type { CgroupFacts } from './host/cgroup-facts.ts';
import { deleteOrphan } from './shim/delete-orphan.ts';
import type { RuntimeBinary } from './shim/task-types.ts';

/** The part of a bundle's `config.json` that is wanted here. */
const ConfigSchema = v.object({ linux: v.object({ cgroupsPath: v.string() }) });

export interface Orphan {
  /** The container's id. */
  id: string;
  /** Its bundle, which tells its control group. */
  bundle: string;
  namespace: string;
  /** Those that may have made it. */
  runtimes: Iterable<RuntimeBinary>;
  cgroup: Pick<CgroupFacts, 'mounts' | 'unified'>;
}

/**
 * Ends and takes apart what a container left that no shim holds: processes, control groups, the runtime's state, mounts. A runtime
 * that was killed in the middle of a create knows nothing of the container, so the control group is looked at by itself.
 *
 * @throws `internal` when processes cannot be killed or a runtime fails.
 */
export async function reapOrphan({ id, bundle, namespace, runtimes, cgroup }: Orphan): Promise<void> {
  const text = await ifExists(() => readFile(join(bundle, 'config.json'), 'utf8'));
  const path = cgroupsPathOf(text);
  const dirs = path === undefined ? [] : cgroupDirs(cgroup, path);
  await killCgroup(dirs);
  for (const runtime of runtimes) await deleteOrphan({ id, namespace, runtime });
  await removeCgroup(dirs);
  await detachAll(bundle);
}

/** A configuration cut short by a kill stands for a container that was not made yet. */
function cgroupsPathOf(text: string | undefined): string | undefined {
  try {
    const path = v.parse(ConfigSchema, JSON.parse(text ?? '')).linux.cgroupsPath;
    // The root of a hierarchy is nobody's own.
    return path.split('/').some((name) => name !== '') ? path : undefined;
  } catch {
    return undefined;
  }
}
