import type { ContainerDefaults } from '../../engine/containers/parts.ts';
import type { Runtimes } from '../../kernel/host/choose-runtime.ts';
import type { DaemonConfig } from './config.ts';

/** What containers get that do not say it. */
export function containerDefaults(config: DaemonConfig, { defaultName }: Runtimes): ContainerDefaults {
  return {
    runtime: defaultName,
    logConfig: { Type: 'json-file', Config: {} },
    dns: config.dns,
    spec: config.specDefaults,
    ipcMode: config.defaultIpcMode,
    cgroupnsMode: config.defaultCgroupnsMode,
    stopTimeout: config.defaultStopTimeout,
  };
}
