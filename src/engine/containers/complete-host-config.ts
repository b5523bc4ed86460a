import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { maskedPaths, readonlyPaths } from '../runtime-spec/hidden-paths.ts';
import type { Parts } from './parts.ts';

const SHM_BYTES = 64 << 20;

/** Writes out what Docker assumes where a request says nothing, so that `inspect` shows what will be. */
export function completeHostConfig(asked: HostConfig, parts: Parts, config: ContainerConfig): HostConfig {
  return {
    ...asked,
    NetworkMode: networkMode(asked.NetworkMode, config),
    IpcMode: asked.IpcMode || 'private',
    CgroupnsMode: asked.CgroupnsMode || (parts.host.cgroup.version === 2 ? 'private' : 'host'),
    ShmSize: asked.ShmSize > 0 ? asked.ShmSize : SHM_BYTES,
    Runtime: asked.Runtime || parts.defaults.runtime,
    RestartPolicy: { ...asked.RestartPolicy, Name: asked.RestartPolicy.Name || 'no' },
    MemorySwap: asked.Memory > 0 && asked.MemorySwap === 0 ? 2 * asked.Memory : asked.MemorySwap,
    MaskedPaths: asked.Privileged ? asked.MaskedPaths : maskedPaths(asked, parts.host),
    ReadonlyPaths: asked.Privileged ? asked.ReadonlyPaths : readonlyPaths(asked),
    LogConfig: asked.LogConfig.Type === '' ? { ...parts.defaults.logConfig } : asked.LogConfig,
  };
}

function networkMode(asked: string, { NetworkDisabled }: ContainerConfig): string {
  if (NetworkDisabled) return 'none';
  return asked || 'default';
}
