import { conflict, internal } from '../../util/errors.ts';
import type { Attachment, AttachIo, LogQuery } from '../engine.ts';
import { readLogs } from '../logs/read-logs.ts';
import type { Parts } from './parts.ts';
import type { PendingAttach, Tracked } from './tracked.ts';

export interface AttachOptions {
  /** Replay what was logged so far first. */
  logs: boolean;
  /** Go on with what comes. */
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  detachKeys: string;
}
