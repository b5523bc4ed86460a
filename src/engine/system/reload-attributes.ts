import { hostname } from 'node:os';
import type { ChangeableConfig, SystemOptions } from './system.ts';

/** What the event `daemon reload` says: how the daemon is configured now, in dockerd's words and, where it has none, in ours. */
export function reloadAttributes(
  config: ChangeableConfig,
  { byName, defaultName }: SystemOptions['runtimes'],
): Record<string, string> {
  const { registries, shutdownTimeout } = config;
  return {
    name: hostname(),
    debug: String(config.debug),
    'log-level': config.logLevel,
    'default-ipc-mode': config.defaultIpcMode,
    'default-shm-size': String(config.defaultShmSize),
    'default-runtime': defaultName,
    runtimes: [...byName].map(([name, { binary }]) => `${name}:${binary}`).join(' '),
    'registry-mirrors': JSON.stringify(registries.mirrors),
    'insecure-registries': JSON.stringify(registries.insecure),
    'max-concurrent-downloads': String(config.maxConcurrentDownloads),
    'max-concurrent-uploads': String(config.maxConcurrentUploads),
    'live-restore': 'true',
    // Without it each container has its own time.
    ...(shutdownTimeout === undefined ? {} : { 'shutdown-timeout': String(shutdownTimeout) }),
  };
}
