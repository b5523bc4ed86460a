import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTarget, type Target } from './target.ts';

export const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'gantry.cjs');

/** As `./gantry` starts it. */
const NODE_FLAGS = ['--max-semi-space-size=4'];

/** A Gantry engine of a test's own, on roots of its own. */
export interface TestEngine extends Target, AsyncDisposable {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pid: () => number;
  /** What it logged so far. */
  log(): string;
  /** Ends the daemon as a crash would; containers live on. */
  crash(): Promise<void>;
  /** Ends the daemon as an administrator would; containers live on. */
  terminate(): Promise<void>;
  /** Starts a daemon on the same roots again. */
  start(extra?: readonly string[]): Promise<void>;
}

/** Starts an engine, its roots below `dir`. Disposing of it removes its containers, ends it, and takes its roots away. */
export async function startGantry(
  extra: readonly string[] = [],
  { dir: given, env = process.env, level = 'debug' }: { dir?: string; env?: NodeJS.ProcessEnv; level?: string } = {},
): Promise<TestEngine> {
  const dir = given ?? (await mkdtemp(join(tmpdir(), 'gantry-test-')));
  // As a root must be that remapped containers are below.
  await chmod(dir, 0o711);
  const dataRoot = join(dir, 'data');
  const execRoot = join(dir, 'exec');
  const socket = join(dir, 'engine.sock');
  const logFile = join(dir, 'log');
  let daemon: ChildProcess | undefined;

  const start = async (more: readonly string[] = []): Promise<void> => {
    const out = openSync(logFile, 'a');
    const args = [
      ...NODE_FLAGS,
      PROGRAM,
      'daemon',
      '--data-root',
      dataRoot,
      '--exec-root',
      execRoot,
      '-H',
      `unix://${socket}`,
      '--log-level',
      level,
      ...extra,
      ...more,
    ];
    daemon = spawn(process.execPath, args, { stdio: ['ignore', out, out], env });
    await answering(socket, daemon, () => readFileSync(logFile, 'utf8'));
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill(signal);
    await ended;
  };
  const target = openTarget('gantry', socket);
  const engine: TestEngine = {
    ...target,
    dataRoot,
    execRoot,
    pid: () => daemon?.pid ?? 0,
    log: () => readFileSync(logFile, 'utf8'),
    crash: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    start,
    [Symbol.asyncDispose]: async () => {
      if (daemon?.exitCode !== null || daemon.signalCode !== null) await start();
      await removeContainers(target);
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
  await start();
  return engine;
}

/** Removes every container of an engine, running or not. */
export async function removeContainers(target: Target): Promise<void> {
  const list = (await target.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>();
  for (const { Id } of list) await target.api('DELETE', `/containers/${Id}?force=1&v=1`);
}

/** Waits until an engine answers its ping. @throws with its log when it ends first or takes more than half a minute. */
export async function answering(socket: string, daemon: ChildProcess, log: () => string): Promise<void> {
  const target = openTarget('gantry', socket);
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) break;
    const reply = await target.api('GET', '/_ping').catch(() => undefined);
    if (reply?.status === 200) return;
  }
  throw new Error(`the engine does not answer:\n${log()}`);
}
