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
  release(): void;
}

/**
 * FIFOs for the input and output of processes, made ahead, and held open by a process that outlives the daemon, so that
 * what a container printed before it ended without a daemon is still there for the next one.
 */
export interface IoPool extends AsyncDisposable {
  take(options: { stdin: boolean; stderr: boolean }): Promise<IoPipes>;
  /** Opens the FIFOs of a process that lived through a restart of the daemon. @throws `ENOENT` when they are gone. */
  reopen(paths: IoPaths): IoPipes;
  /** Removes every FIFO of an earlier daemon that is not in `inUse`. */
  sweep(inUse: ReadonlySet<string>): Promise<void>;
}
