import type { Process } from '../../kernel/shim/shim-pool.ts';
import type { IoPaths } from '../../kernel/stdio/io-pool.ts';
import type { ExecBody } from '../../spec/container.ts';
import type { ExecView } from '../engine.ts';

/** One exec, from its create until it is forgotten some minutes after its end. */
export interface Exec extends ExecView {
  running: boolean;
  exitCode: number | undefined;
  pid: number;
  /** Set while it runs. */
  process: Process | undefined;
  /** Resolves when its process runs, or will not. */
  readonly begun: PromiseWithResolvers<void>;
  /** Milliseconds of `performance.now()`, a clock that nobody sets; 0 while it has not ended. */
  endedTick: number;
}

/** What outlives the daemon of a running exec, so that the next one can follow it. */
export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecBody;
  readonly paths: IoPaths;
  /** A health check's own. */
  readonly probe?: boolean;
}

/** A fresh exec that was not started. */
export function newExec(id: string, containerId: string, request: ExecBody): Exec {
  return {
    id,
    containerId,
    request,
    running: false,
    exitCode: undefined,
    pid: 0,
    process: undefined,
    begun: Promise.withResolvers(),
    endedTick: 0,
  };
}
