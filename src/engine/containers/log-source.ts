import { remoteDriver } from '../logs/drivers/drivers.ts';
import type { LogSource } from '../logs/read-logs.ts';
import { logSubject } from './log-subject.ts';
import type { Tracked } from './tracked.ts';

/** Where the log of a container is, and who writes to it now. */
export function logSource({ container, live }: Tracked): LogSource {
  const config = container.hostConfig.LogConfig;
  const attrs = () => remoteDriver(config.Type)?.details?.(config.Config, logSubject(container));
  return { config, attrs, path: container.files.log, writer: live?.log };
}
