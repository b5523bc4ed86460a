import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import type { CreateRequest } from '../engine.ts';
import { maskedPaths, readonlyPaths } from '../runtime-spec/hidden-paths.ts';
import type { Parts } from './parts.ts';

const NO_RESTARTS = { Name: 'no', MaximumRetryCount: 0 };

/** Writes out what Docker assumes where a request says nothing, so that `inspect` shows what will be. */
export function completeHostConfig(
  asked: HostConfig,
  parts: Parts,
  { config, oldCgroupns = false }: Pick<CreateRequest, 'config' | 'oldCgroupns'>,
): HostConfig {
  return {
    ...asked,
    NetworkMode: networkMode(asked.NetworkMode, config),
    IpcMode: asked.IpcMode || parts.defaults.ipcMode,
    CgroupnsMode: asked.CgroupnsMode || cgroupnsMode(oldCgroupns || asked.Privileged, parts),
    ShmSize: asked.ShmSize > 0 ? asked.ShmSize : parts.defaults.shmSize,
    Runtime: asked.Runtime || parts.defaults.runtime,
    RestartPolicy: asked.RestartPolicy.Name === '' ? NO_RESTARTS : asked.RestartPolicy,
    ...sparse(asked, parts.host),
    MemorySwap: memorySwap(asked),
    MaskedPaths: asked.Privileged ? asked.MaskedPaths : maskedPaths(asked, parts.host),
    ReadonlyPaths: asked.Privileged ? asked.ReadonlyPaths : readonlyPaths(asked),
  };
}

/** What means "no limit" is not kept. Version 2 has no switch for its OOM killer. */
function sparse(
  { PidsLimit, MemorySwappiness, OomKillDisable }: HostConfig,
  { limits }: Pick<HostFacts, 'limits'>,
): Pick<HostConfig, 'PidsLimit' | 'MemorySwappiness' | 'OomKillDisable'> {
  return {
    PidsLimit: PidsLimit !== null && PidsLimit <= 0 ? null : PidsLimit,
    MemorySwappiness: MemorySwappiness === -1 ? null : MemorySwappiness,
    OomKillDisable: limits.oomKillDisable ? (OomKillDisable ?? false) : OomKillDisable || null,
  };
}

/** As much swap as memory; no limit when the sum has no place in 64 bits. */
function memorySwap({ Memory, MemorySwap }: HostConfig): number {
  if (Memory <= 0 || MemorySwap !== 0) return MemorySwap;
  return Memory < 2 ** 62 ? 2 * Memory : -1;
}

function networkMode(asked: string, { NetworkDisabled }: ContainerConfig): string {
  if (NetworkDisabled) return 'none';
  return asked || 'default';
}

/** A privileged container, and one of an old client, sees the hierarchies of version 1 whole. */
function cgroupnsMode(whole: boolean, { host, defaults }: Parts): string {
  const { version } = host.cgroup;
  if (whole && version === 1) return 'host';
  return defaults.cgroupnsMode ?? (version === 2 ? 'private' : 'host');
}
