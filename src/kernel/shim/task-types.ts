/** A mount the shim makes on the bundle's `rootfs` before the container starts, and takes away when its task is deleted. */
export interface OverlayMount {
  type: string;
  source: string;
  options: readonly string[];
}

/** The OCI runtime to call. */
export interface RuntimeBinary {
  /** Absolute path, or a name looked up in the shim's `PATH`. */
  binary: string;
  /** Directory the runtime keeps its state in; the pool's namespace is appended. */
  root: string;
}

/** Paths of the FIFOs a process talks through; an empty string stands for none. */
export interface ProcessStdio {
  terminal: boolean;
  stdin: string;
  stdout: string;
  /** Empty with a terminal, where everything comes on `stdout`. */
  stderr: string;
}

export interface TaskOptions extends ProcessStdio {
  id: string;
  /** Directory with `config.json` and an empty `rootfs`. */
  bundle: string;
  rootfs: readonly OverlayMount[];
  runtime: RuntimeBinary;
  /** Whom the pipes of its processes belong to; absent: root. */
  ioOwner?: { readonly uid: number; readonly gid: number };
}

export interface ExecOptions extends ProcessStdio {
  /** An OCI runtime-spec `process` object. */
  process: object;
}

/** How a process ended: its exit status (128 + n after signal n) and when, in RFC 3339 with nanoseconds. */
export interface Exit {
  status: number;
  at: string;
}

export type TaskStatus = 'unknown' | 'created' | 'running' | 'stopped' | 'paused' | 'pausing';

/** What the shim says of a process. */
export interface TaskState {
  status: TaskStatus;
  pid: number;
  /** Meaningful once `status` is `stopped`. */
  exit: Exit;
}

/**
 * A process inside a shim: a container's first one, or an exec.
 *
 * Every call rejects with `unavailable` when the shim is gone, with `not-found` when the shim does not know the process
 * (any more), and else with `internal` and the words of the OCI runtime.
 */
export interface Process {
  /** Process id on the host; 0 for an exec that has not started. */
  readonly pid: number;
  start(): Promise<number>;
  /** Resolves when the process has ended, also when it ended before; calls share one answer. */
  wait(): Promise<Exit>;
  kill(signal: number): Promise<void>;
  resize(size: { width: number; height: number }): Promise<void>;
  /** Lets the process read end of file, once whoever writes its stdin FIFO has closed it too. */
  closeStdin(): Promise<void>;
  state(): Promise<TaskState>;
  /** Forgets an ended process; answers when the shim has passed on all of its output. */
  delete(): Promise<Exit>;
}

/** A container inside a shim. */
export interface Task extends Process {
  readonly id: string;
  /** Address of the shim, for `ShimPool.adopt` after a restart. */
  readonly shim: string;
  pids(): Promise<number[]>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Changes limits; `resources` is an OCI runtime-spec `linux.resources` object. */
  update(resources: object): Promise<void>;
  /** Registers a further process; `start` runs it. */
  exec(execId: string, options: ExecOptions): Promise<Process>;
  /** An exec registered before a restart of the daemon. */
  adoptExec(execId: string): Process;
  /** Signals every process of the container. */
  killAll(signal: number): Promise<void>;
}

/**
 * A few `containerd-shim-runc-v2` processes that hold all containers.
 *
 * Disposing of it closes connections only: shims and containers live on, to be adopted by the next daemon.
 */
export interface ShimPool extends AsyncDisposable {
  /** Makes a container ready to start. @throws `internal` with the OCI runtime's words. */
  create(options: TaskOptions): Promise<Task>;
  /**
   * Finds a container again after a restart of the daemon; `undefined` when its shim is gone or does not know it.
   * With an empty address every living shim is asked.
   */
  adopt(id: string, shimAddress: string): Promise<Task | undefined>;
  /** Ends the shims that hold no container; the next `create` starts them again. */
  shutdownIdle(): Promise<void>;
}
