import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalid, kindOf, unavailable } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { findShims, type Shim, type ShimHome, startShim } from './shim.ts';
import { serveShimEvents } from './shim-events.ts';
import { createTask, findTask } from './task.ts';
import type { ShimPool, Task, TaskOptions } from './task-types.ts';

export type {
  ExecOptions,
  Exit,
  OverlayMount,
  Process,
  ProcessStdio,
  RuntimeBinary,
  ShimPool,
  Task,
  TaskOptions,
  TaskState,
} from './task-types.ts';

/** Longest path of a unix socket, see unix(7). */
const MAX_SOCKET_PATH = 107;
/** How long a shim may take to leave after it agreed to. */
const LEAVE_MS = 2_000;

export interface ShimPoolOptions {
  execRoot: string;
  namespace: string;
  /** How many shims to keep; about one per processor, because a shim creates containers one after another. */
  size: number;
  log: Log;
  /** The kernel killed a process of this container for want of memory. */
  onOom: (id: string) => void;
}

/**
 * Opens the pool below `execRoot/shims`: takes over the shims an earlier daemon left and starts the missing ones in the
 * background.
 *
 * @throws `invalid` when `execRoot` is too long for a socket in it.
 */
export async function openShimPool(options: ShimPoolOptions): Promise<ShimPool> {
  const { execRoot, namespace, size, log, onOom } = options;
  const dir = join(execRoot, 'shims');
  const eventSocket = join(execRoot, 'shim-events.sock');
  if (Buffer.byteLength(eventSocket) > MAX_SOCKET_PATH)
    throw invalid(`the exec root is too long for a socket: ${execRoot}`);
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const home: ShimHome = { dir, eventSocket, namespace, log };
  // Shims leave at once when nobody listens for their events.
  const events = await serveShimEvents(eventSocket, { log, onOom });
  const pool = new Shims(home, size, events);
  for (const shim of await findShims(home)) pool.admit(shim);
  pool.startMissing();
  return pool;
}

class Shims implements ShimPool {
  readonly #home: ShimHome;
  readonly #size: number;
  readonly #events: AsyncDisposable;
  readonly #shims = new Set<Shim>();
  readonly #starting = new Set<Promise<Shim>>();
  #closed = false;

  constructor(home: ShimHome, size: number, events: AsyncDisposable) {
    this.#home = home;
    this.#size = Math.max(1, size);
    this.#events = events;
  }

  /** Makes a connected shim one of the pool; when it dies another takes its place. */
  admit(shim: Shim): void {
    this.#shims.add(shim);
    const { log } = this.#home;
    const replace = () => {
      if (!this.#shims.delete(shim) || this.#closed) return;
      log.warn('a shim has died', { shim: shim.address, containers: [...shim.tasks] });
      this.startMissing();
    };
    shim.gone.then(replace, replace);
    shim.cleared.catch((error: unknown) => log.warn('could not clear up after a shim', { shim: shim.address, error }));
  }

  startMissing(): void {
    while (this.#shims.size + this.#starting.size < this.#size) {
      this.#start().catch((error: unknown) => this.#home.log.error('could not start a shim', { error }));
    }
  }

  async create(options: TaskOptions): Promise<Task> {
    const shim = await this.#leastLoaded();
    shim.creating++;
    shim.tasks.add(options.id);
    try {
      return await createTask(shim, options);
    } catch (error) {
      shim.forget(options.id);
      throw error;
    } finally {
      shim.creating--;
    }
  }

  async adopt(id: string, shimAddress: string): Promise<Task | undefined> {
    for (const shim of this.#shims) {
      if (shimAddress !== '' && shim.address !== shimAddress) continue;
      try {
        const task = await findTask(shim, id);
        shim.tasks.add(id);
        return task;
      } catch (error) {
        if (kindOf(error) !== 'not-found' && kindOf(error) !== 'unavailable') throw error;
      }
    }
    return undefined;
  }

  async shutdownIdle(): Promise<void> {
    await Promise.allSettled(this.#starting);
    const idle = [...this.#shims].filter((shim) => shim.tasks.size === 0 && shim.creating === 0);
    await Promise.all(idle.map((shim) => this.#shutdown(shim)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#starting);
    const ended = [...this.#shims].map((shim) => shim.cleared);
    for (const shim of this.#shims) shim[Symbol.dispose]();
    await Promise.allSettled(ended);
    await this.#events[Symbol.asyncDispose]();
  }

  /** The shim refuses by itself, silently, while it holds a container we do not know of. */
  async #shutdown(shim: Shim): Promise<void> {
    this.#shims.delete(shim);
    const refused = Symbol('refused');
    const timer = new AbortController();
    try {
      await shim.call('Shutdown', { now: false }).catch(() => {});
      const late = sleep(LEAVE_MS, refused, { signal: timer.signal }).catch(() => refused);
      const outcome = await Promise.race([shim.cleared, late]);
      if (outcome === refused) this.#shims.add(shim);
    } finally {
      timer.abort();
    }
  }

  async #leastLoaded(): Promise<Shim> {
    if (this.#closed) throw unavailable('the shim pool is closed');
    if (this.#shims.size === 0) {
      this.startMissing();
      await Promise.any(this.#starting).catch((error: unknown) => {
        throw error instanceof AggregateError ? error.errors[0] : error;
      });
    }
    let best: Shim | undefined;
    for (const shim of this.#shims) {
      if (best === undefined || load(shim) < load(best)) best = shim;
    }
    if (best === undefined) throw unavailable('no shim is running');
    return best;
  }

  #start(): Promise<Shim> {
    const start = startShim(this.#home).then((shim) => {
      this.admit(shim);
      return shim;
    });
    this.#starting.add(start);
    return start.finally(() => this.#starting.delete(start));
  }
}

/** Creates under way weigh most: they are what a new container would wait for. */
function load(shim: Shim): number {
  return shim.creating * 1_000_000 + shim.tasks.size;
}
