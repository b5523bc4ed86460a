import type { ContainerDefaults } from '../../engine/containers/parts.ts';
import { validateLogConfig } from '../../engine/logs/log-config.ts';
import type { Runtimes } from '../../kernel/host/choose-runtime.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import type { DaemonConfig } from './config.ts';

/** What containers get that do not say it. @throws `invalid`. */
export function containerDefaults(config: DaemonConfig, { defaultName }: Runtimes): ContainerDefaults {
  return {
    runtime: defaultName,
    logConfig: defaultLogConfig(config),
    dns: config.dns,
    spec: config.specDefaults,
    shmSize: config.defaultShmSize,
    ipcMode: config.defaultIpcMode,
    cgroupnsMode: config.defaultCgroupnsMode,
    stopTimeout: config.defaultStopTimeout,
  };
}

/** @throws `invalid` when no container could have such a log. */
function defaultLogConfig({ logConfig: { Type, Config } }: DaemonConfig) {
  try {
    return validateLogConfig({ Type, Config: { ...Config } }, { Type: '', Config: {} });
  } catch (error) {
    throw invalid(`failed to set log opts: ${messageOf(error)}`, error);
  }
}
