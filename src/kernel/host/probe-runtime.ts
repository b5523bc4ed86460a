import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomId } from '../../util/id.ts';
import { run } from '../../util/spawn.ts';
import type { CgroupFacts } from './cgroup-facts.ts';

/** Where Debian's busybox-static puts the program the probe runs. */
const BUSYBOX = '/bin/busybox';
/** A runtime that hangs is one that does not work. */
const PATIENCE_MS = 10_000;

/**
 * Whether an OCI runtime works on this host: runs one small container with it, in a cgroup of its own, and leaves nothing
 * behind. The version does not tell: crun 1.8 refuses hosts whose cgroup v2 tree carries controllers beside v1.
 *
 * `dir` is a directory for temporary files.
 */
export async function probeRuntime(binary: string, dir: string, cgroup: Pick<CgroupFacts, 'parent'>): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const bundle = await mkdtemp(join(dir, 'probe-'));
  stack.defer(() => rm(bundle, { recursive: true, force: true }));
  const id = `probe-${randomId().slice(0, 12)}`;
  const runtime = (...args: string[]) =>
    run(binary, ['--root', join(bundle, 'state'), ...args], {
      allowFailure: true,
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => ({ code: -1 }));
  try {
    await mkdir(join(bundle, 'rootfs'), { recursive: true });
    await copyFile(BUSYBOX, join(bundle, 'rootfs', 'busybox'));
    await writeFile(join(bundle, 'config.json'), JSON.stringify(probeSpec(`${cgroup.parent}/${id}`)));
  } catch {
    // Without a program to run nothing can be told, and a runtime that was not seen to work is not chosen.
    return false;
  }
  stack.defer(async () => void (await runtime('delete', '--force', id)));
  return (await runtime('run', '--bundle', bundle, id)).code === 0;
}

function probeSpec(cgroupsPath: string): object {
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, args: ['/busybox', 'true'], env: [], cwd: '/' },
    root: { path: 'rootfs' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: [] }],
    linux: {
      cgroupsPath,
      namespaces: ['mount', 'uts', 'pid', 'ipc', 'network'].map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: 'rwm' }], pids: { limit: 16 } },
    },
  };
}
