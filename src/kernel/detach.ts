import { run } from '../util/spawn.ts';
import { mountPoints } from './mount-points.ts';

/**
 * Takes what is mounted at a directory off, the topmost only, with all that is mounted in it; who is in it keeps it until they leave.
 *
 * What came along with a bind may be shared with where it came from: it is made a slave first, or it would be unmounted there as well.
 * Source: kernel doc filesystems/sharedsubtree, "umount".
 */
export async function detach(target: string): Promise<void> {
  // Asked only where there is something: it would wait for the server of a network file system that is gone.
  const carriesOthers = (await mountPoints(target)).some((path) => path !== target);
  if (carriesOthers) await run('mount', ['--make-rslave', '--', target]);
  await run('umount', ['--lazy', '--no-canonicalize', '--', target]);
}

/**
 * As {@link detach}, until nothing is mounted at a directory or below. A shim may take its own off at the same moment; two callers
 * for one directory may not: one could unmount what the other has made a slave of the wrong mount.
 */
export async function detachAll(dir: string): Promise<void> {
  for (;;) {
    const [outermost] = (await mountPoints(dir)).toSorted((a, b) => a.length - b.length);
    if (outermost === undefined) return;
    await detach(outermost).catch(async (error: unknown) => {
      if ((await mountPoints(outermost)).includes(outermost)) throw error;
    });
  }
}
