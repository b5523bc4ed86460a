import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../util/spawn.ts';
import type { RuntimeBinary } from './task-types.ts';

/**
 * Removes what the OCI runtime still knows of a container whose shim is gone: kills its processes, removes its cgroup and
 * the runtime's state. One the runtime does not know is fine. `namespace` is the shim pool's.
 *
 * @throws `internal` with the runtime's words, `unavailable` when it is not installed.
 */
export async function deleteOrphan(o: { id: string; namespace: string; runtime: RuntimeBinary }): Promise<void> {
  const root = join(o.runtime.root, o.namespace);
  if (!existsSync(join(root, o.id))) return;
  await run(o.runtime.binary, ['--root', root, 'delete', '--force', o.id]);
}
