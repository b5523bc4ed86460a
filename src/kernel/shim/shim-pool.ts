import type { Log } from '../../util/log.ts';
import type { ShimPool } from './task-types.ts';

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

export interface ShimPoolOptions {
  execRoot: string;
  namespace: string;
  /** How many shims to keep; about one per processor, because a shim creates containers one after another. */
  size: number;
  log: Log;
  /** The kernel killed a process of this container for want of memory. */
  onOom(id: string): void;
}

export declare function openShimPool(options: ShimPoolOptions): Promise<ShimPool>;
