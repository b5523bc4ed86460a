import { randomBytes } from 'node:crypto';
import { existsSync, unlinkSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasCode, unavailable } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { type Keeper, openKeeper } from './keeper.ts';
import { openPipeReader } from './pipe-reader.ts';
import { openPipeWriter } from './pipe-writer.ts';

/** Paths of a process's FIFOs; an empty string stands for none. */
export interface IoPaths {
  stdin: string;
  stdout: string;
  stderr: string;
}

/** The daemon's end of an output FIFO. It never ends by itself: the keeper holds it open too. */
export interface PipeReader {
  /** Starts reading. A chunk belongs to the listener. */
  onData(listener: (chunk: Buffer) => void): void;
  pause(): void;
  resume(): void;
  /** Reads what is still in the pipe and gives it to the listener before it returns, paused or not. */
  drain(): void;
  close(): void;
}

/** The daemon's end of a stdin FIFO. */
export interface PipeWriter {
  /** Resolves when the pipe took everything. @throws `unavailable` when closed before that. */
  write(data: Buffer): Promise<void>;
  /** Closes at once; what the pipe took stays in it. The process sees the end after `Process.closeStdin` too. */
  close(): void;
}

/** The FIFOs of one process, open. */
export interface IoPipes {
  readonly paths: IoPaths;
  readonly stdout: PipeReader;
  readonly stderr: PipeReader | undefined;
  readonly stdin: PipeWriter | undefined;
  /** Closes and removes them; to be called once the process is deleted. Idempotent. */
  readonly release: () => void;
}

/**
 * FIFOs for the input and output of processes, made ahead, and held open by a process that outlives the daemon, so that
 * what a container printed before it ended without a daemon is still there for the next one.
 */
export interface IoPool extends AsyncDisposable {
  take(options: { stdin: boolean; stderr: boolean }): Promise<IoPipes>;
  /**
   * Opens the FIFOs of a process that lived through a restart of the daemon. Those that are gone, because the daemon was killed while it
   * removed them, are made anew: nothing comes from them, and the process can be followed and settled all the same.
   */
  reopen(paths: IoPaths): Promise<IoPipes>;
  /** Removes every FIFO of an earlier daemon that is not in `inUse`. */
  sweep(inUse: ReadonlySet<string>): Promise<void>;
}

export interface IoPoolOptions {
  execRoot: string;
  log: Log;
}

/** FIFOs made with one call of mkfifo, and how many ready ones are too few. */
const BATCH = { output: 32, input: 8 };
const LOW = { output: 12, input: 4 };

type FifoKind = keyof typeof BATCH;

/** Output FIFOs are held by the keeper; the shim itself holds stdin open until it is told to close it. */
const PREFIX: Readonly<Record<FifoKind, string>> = { output: 'o-', input: 'i-' };

/** Opens the pool in `execRoot/io`. Disposing of it ends the keeper too when no FIFO is in use. */
export async function openIoPool({ execRoot, log }: IoPoolOptions): Promise<IoPool> {
  const dir = join(execRoot, 'io');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const keeper = await openKeeper(dir);
  const leftover = (await readdir(dir)).filter(isFifoName);
  const pool = new FifoPool(dir, keeper, leftover, log);
  if (keeper.fresh) pool.holdAll();
  pool.refillSoon();
  return pool;
}

function isFifoName(name: string): boolean {
  return Object.values(PREFIX).some((prefix) => name.startsWith(prefix));
}

class FifoPool implements IoPool {
  readonly #dir: string;
  readonly #log: Log;
  #keeper: Keeper;
  /** Names of FIFOs of an earlier daemon, of which nobody has said yet whether they are in use. */
  readonly #leftover: Set<string>;
  readonly #inUse = new Set<string>();
  readonly #ready: Record<FifoKind, string[]> = { output: [], input: [] };
  #refill: Promise<void> | undefined;
  #closed = false;

  constructor(dir: string, keeper: Keeper, leftover: readonly string[], log: Log) {
    this.#dir = dir;
    this.#log = log;
    this.#keeper = keeper;
    this.#leftover = new Set(leftover);
  }

  async take({ stdin, stderr }: { stdin: boolean; stderr: boolean }): Promise<IoPipes> {
    const outputs = stderr ? 2 : 1;
    const inputs = stdin ? 1 : 0;
    while (this.#ready.output.length < outputs || this.#ready.input.length < inputs) await this.#refillOnce();
    const next = (kind: FifoKind, wanted: boolean) => (wanted ? join(this.#dir, this.#ready[kind].pop() ?? '') : '');
    const paths = { stdin: next('input', stdin), stdout: next('output', true), stderr: next('output', stderr) };
    this.refillSoon();
    try {
      return this.#open(paths);
    } catch (error) {
      // Nobody knows of them any more.
      for (const name of namesOf(paths)) this.#remove(name);
      throw error;
    }
  }

  async reopen(paths: IoPaths): Promise<IoPipes> {
    const gone = Object.values(paths).filter((path) => path !== '' && !existsSync(path));
    if (gone.length > 0) {
      this.#log.warn('FIFOs of a process are gone; what it says from now on is lost', { gone });
      await run('mkfifo', ['-m', '600', ...gone]);
    }
    return this.#open({ stdin: paths.stdin, stdout: paths.stdout, stderr: paths.stderr });
  }

  async sweep(inUse: ReadonlySet<string>): Promise<void> {
    for (const name of this.#leftover) {
      if (!inUse.has(join(this.#dir, name)) && !this.#inUse.has(name)) this.#remove(name);
    }
    this.#leftover.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#refill?.catch(() => {});
    for (const name of [...this.#ready.output.splice(0), ...this.#ready.input.splice(0)]) this.#remove(name);
    if (this.#inUse.size === 0 && this.#leftover.size === 0) {
      await this.#keeper.quit();
      // What the keeper made by opening a name that was being removed.
      for (const name of (await readdir(this.#dir)).filter(isFifoName)) this.#remove(name);
    }
    this.#keeper[Symbol.dispose]();
  }

  /** Tells a keeper that knows nothing of all there is to hold. */
  holdAll(): void {
    for (const name of [...this.#leftover, ...this.#inUse, ...this.#ready.output]) this.#hold(name);
  }

  refillSoon(): void {
    if (this.#ready.output.length >= LOW.output && this.#ready.input.length >= LOW.input) return;
    this.#refillOnce().catch((error: unknown) => this.#log.error('could not make FIFOs', { error }));
  }

  /** One refill at a time, shared by all who wait for it. */
  #refillOnce(): Promise<void> {
    this.#refill ??= this.#makeBatch().finally(() => {
      this.#refill = undefined;
    });
    return this.#refill;
  }

  async #makeBatch(): Promise<void> {
    if (this.#closed) throw unavailable('the pool of FIFOs is closed');
    const kinds = (['output', 'input'] as const).flatMap((kind) =>
      Array<FifoKind>(missing(this.#ready, kind)).fill(kind),
    );
    const made = kinds.map((kind) => ({ kind, name: `${PREFIX[kind]}${randomBytes(8).toString('hex')}` }));
    try {
      await run('mkfifo', ['-m', '600', ...made.map(({ name }) => name)], { cwd: this.#dir });
    } catch (error) {
      for (const { name } of made) this.#remove(name);
      throw error;
    }
    if (!(await this.#keeper.alive())) await this.#replaceKeeper();
    for (const { kind, name } of made) {
      this.#hold(name);
      this.#ready[kind].push(name);
    }
  }

  async #replaceKeeper(): Promise<void> {
    this.#log.warn('the process that holds FIFOs open is gone; starting another');
    this.#keeper[Symbol.dispose]();
    this.#keeper = await openKeeper(this.#dir);
    this.holdAll();
  }

  #hold(name: string): void {
    if (name.startsWith(PREFIX.output)) this.#keeper.hold(name);
  }

  #remove(name: string): void {
    if (name.startsWith(PREFIX.output)) this.#keeper.drop(name);
    try {
      unlinkSync(join(this.#dir, name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  #open(paths: IoPaths): IoPipes {
    using undo = new DisposableStack();
    const closable = <T extends { close(): void }>(end: T): T => undo.adopt(end, () => end.close());
    const stdout = closable(openPipeReader(paths.stdout));
    const stderr = paths.stderr === '' ? undefined : closable(openPipeReader(paths.stderr));
    const stdin = paths.stdin === '' ? undefined : closable(openPipeWriter(paths.stdin));
    const ends = undo.move();
    const names = namesOf(paths);
    for (const name of names) this.#inUse.add(name);
    const release = () => {
      if (ends.disposed) return;
      ends.dispose();
      for (const name of names) {
        this.#inUse.delete(name);
        this.#leftover.delete(name);
        this.#remove(name);
      }
    };
    return { paths, stdout, stderr, stdin, release };
  }
}

function namesOf(paths: IoPaths): string[] {
  return Object.values(paths).flatMap((path) => (path === '' ? [] : [basename(path)]));
}

/** How many to make so that a whole batch is ready. */
function missing(ready: Readonly<Record<FifoKind, readonly string[]>>, kind: FifoKind): number {
  return Math.max(0, BATCH[kind] - ready[kind].length);
}
