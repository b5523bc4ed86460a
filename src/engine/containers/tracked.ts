import type { Task } from '../../kernel/shim/shim-pool.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import type { LogWriter } from '../logs/log-writer.ts';
import type { AttachEnd, HubAttach, StdioHub } from '../stdio/hub.ts';
import type { Container } from './model.ts';

/** How a container's process ended. `statusCode` is what `wait` answers. */
export interface Ending {
  statusCode: number;
  error?: string;
}

/** A client that asked for the streams before the container was started. */
export interface PendingAttach {
  io: HubAttach;
  done: PromiseWithResolvers<AttachEnd>;
}

/** The running half of a container: what exists from just before its process is created until it has been settled. */
export interface Live {
  readonly task: Task;
  readonly pipes: IoPipes;
  readonly hub: StdioHub;
  readonly log: LogWriter;
  /** When the process was started, in milliseconds of a clock that nobody sets: `performance.now()`. */
  readonly startedTick: number;
  /** Resolves when the ending has been written down and everything of the process is gone. */
  readonly settled: PromiseWithResolvers<void>;
}

/** A container and what only this process knows of it. */
export interface Tracked {
  readonly container: Container;
  live: Live | undefined;
  /** Between the two halves of a restart: its end is not the end of an auto-removed container. */
  restarting: boolean;
  readonly pendingAttaches: Set<PendingAttach>;
  /** Called once each, at the next end of the process. */
  readonly onExit: Set<(ending: Ending) => void>;
  /** Called once each, when the container is gone, with its last ending. */
  readonly onRemoved: Set<(ending: Ending) => void>;
}

/** Starts tracking a container that has no process. */
export function track(container: Container): Tracked {
  return {
    container,
    live: undefined,
    restarting: false,
    pendingAttaches: new Set(),
    onExit: new Set(),
    onRemoved: new Set(),
  };
}

/** Calls and forgets every listener. */
export function notify<T>(listeners: Set<(value: T) => void>, value: T): void {
  const waiting = [...listeners];
  listeners.clear();
  for (const listener of waiting) listener(value);
}
