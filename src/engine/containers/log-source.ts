import type { LogSource } from '../logs/read-logs.ts';
import type { Tracked } from './tracked.ts';

/** Where the log of a container is, and who writes to it now. */
export function logSource({ container, live }: Tracked): LogSource {
  return { config: container.hostConfig.LogConfig, path: container.files.log, writer: live?.log };
}
