import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { removeBundle, writeBundle } from '../bundle.ts';
import { mountPoints } from '../mount-points.ts';
import { type IoPipes, type IoPool, openIoPool } from '../stdio/io-pool.ts';
import { openShimPool, type ShimPool, type Task, type TaskOptions } from './shim-pool.ts';

/** Why tests with real containers cannot run here; false when they can. */
export const skipContainers = process.getuid?.() === 0 ? false : 'needs root to run containers';

/** What a test wants to run; everything else is as little as a container needs. */
export interface TestCommand {
  args: readonly string[];
  terminal?: boolean;
  stdin?: boolean;
  /** Limit in bytes. */
  memory?: number;
}

/** A directory with shims, FIFOs and a busybox root file system, for tests of this layer. */
export interface TestHost extends AsyncDisposable {
  readonly dir: string;
  readonly shims: ShimPool;
  readonly io: IoPool;
  readonly oomKilled: string[];
  /** Makes a container ready to start and its output readable. */
  create(id: string, command: TestCommand): Promise<TestContainer>;
  /** Deletes the task and everything it left. */
  remove(container: TestContainer): Promise<void>;
  /** Removes the directory, for a test that has closed the rest itself. */
  removeDir(): Promise<void>;
}

export interface TestContainer {
  readonly id: string;
  readonly task: Task;
  readonly pipes: IoPipes;
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
}

/** An OCI process for the test root file system. */
export function testProcess({ args, terminal = false }: TestCommand) {
  return {
    terminal,
    user: { uid: 0, gid: 0 },
    args,
    env: ['PATH=/bin', 'TERM=xterm'],
    cwd: '/',
  };
}

/** `cgroupsPath` is a test's own, as several may run at once on a machine. */
export function testSpec(command: TestCommand, cgroupsPath: string) {
  return {
    ociVersion: '1.0.2',
    process: testProcess(command),
    root: { path: 'rootfs' },
    hostname: 'test',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0666', 'mode=620'],
      },
    ],
    linux: {
      cgroupsPath,
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
      resources: command.memory === undefined ? {} : { memory: { limit: command.memory, swap: command.memory } },
    },
  };
}

/** Opens a host below a fresh directory, or on the directory of another one, as a restarted daemon would. */
export async function openTestHost(options: { dir?: string; size?: number } = {}): Promise<TestHost> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'gantry-shim-')));
  if (options.dir === undefined) await makeRootfs(join(dir, 'busybox'));
  const oomKilled: string[] = [];
  const io = await openIoPool({ execRoot: dir, log: silentLog() });
  const shims = await openShimPool({
    execRoot: dir,
    namespace: 'gantry-test',
    size: options.size ?? 1,
    log: silentLog(),
    onOom: (id) => oomKilled.push(id),
  });
  const removeDir = async () => {
    const left = await mountPoints(dir);
    if (left.length > 0) throw new Error(`still mounted: ${left.join(' ')}`);
    await rm(dir, { recursive: true });
  };
  return {
    dir,
    removeDir,
    shims,
    io,
    oomKilled,
    async create(id, command) {
      writeBundle(join(dir, 'bundles', id), testSpec(command, `/gantry-${basename(dir)}-${id}`));
      const pipes = await io.take({ stdin: command.stdin ?? false, stderr: !command.terminal });
      try {
        const task = await shims.create(await taskOptions(dir, id, command, pipes));
        return collect({ id, task, pipes, stdout: [], stderr: [] });
      } catch (error) {
        pipes.release();
        throw error;
      }
    },
    async remove({ id, task, pipes }) {
      await task.delete();
      pipes.stdout.drain();
      pipes.stderr?.drain();
      pipes.release();
      await removeBundle(join(dir, 'bundles', id));
    },
    async [Symbol.asyncDispose]() {
      await using closing = new AsyncDisposableStack();
      closing.defer(removeDir);
      closing.use(io);
      closing.use(shims);
      await shims.shutdownIdle();
    },
  };
}

/** Starts reading what a container prints. */
export function collect(container: TestContainer): TestContainer {
  container.pipes.stdout.onData((chunk) => container.stdout.push(chunk));
  container.pipes.stderr?.onData((chunk) => container.stderr.push(chunk));
  return container;
}

async function taskOptions(dir: string, id: string, command: TestCommand, pipes: IoPipes): Promise<TaskOptions> {
  const [upper, work] = [join(dir, 'rw', id, 'upper'), join(dir, 'rw', id, 'work')];
  await Promise.all([mkdir(upper, { recursive: true }), mkdir(work, { recursive: true })]);
  const options = ['index=off', `lowerdir=${join(dir, 'busybox')}`, `upperdir=${upper}`, `workdir=${work}`];
  return {
    id,
    bundle: join(dir, 'bundles', id),
    rootfs: [{ type: 'overlay', source: 'overlay', options }],
    terminal: command.terminal ?? false,
    ...pipes.paths,
    runtime: { binary: 'runc', root: join(dir, 'runc') },
  };
}

async function makeRootfs(dir: string): Promise<void> {
  for (const name of ['bin', 'proc', 'dev', 'tmp']) await mkdir(join(dir, name), { recursive: true });
  const busybox = (await run('sh', ['-c', 'command -v busybox'])).stdout.trim();
  await copyFile(busybox, join(dir, 'bin', 'busybox'));
  const applets = (await run(busybox, ['--list'])).stdout.trim().split('\n');
  await Promise.all(
    applets.filter((name) => name !== 'busybox').map((name) => symlink('busybox', join(dir, 'bin', name))),
  );
  await writeFile(join(dir, 'greeting'), 'hello\n');
}

/** Ids of processes that have `text` in their command line, other than ourselves. */
export async function processesWith(text: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
  const lines = stdout.split('\n').filter((line) => line.includes(text));
  return lines.map((line) => Number.parseInt(line, 10)).filter((pid) => pid !== process.pid);
}

/** Names of the entries of a directory, sorted. */
export async function entries(dir: string): Promise<string[]> {
  return (await readdir(dir)).sort();
}
