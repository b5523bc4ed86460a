import type { HostConfig, UpdateBody } from '../spec/container.ts';
import { invalid } from '../util/errors.ts';
import { mountsOfVersion } from './mount-versions.ts';

/**
 * What a container is asked to be as its version of the API means it: what came later is ignored, as its clients could not mean
 * it, and what older clients take for granted is said.
 *
 * @throws `invalid` in Docker's words for what an older version must not ignore.
 */
export function hostConfigOfVersion(asked: HostConfig, api: number): HostConfig {
  return {
    ...asked,
    Mounts: mountsOfVersion(asked.Mounts, api),
    ...(api < 25 ? { AutoRemove: false } : {}),
    ...(api < 40 ? { IpcMode: asked.IpcMode || 'shareable', KernelMemoryTCP: 0 } : {}),
    ...(api < 42 ? { ConsoleSize: [0, 0] as [number, number] } : { KernelMemory: 0 }),
    ...(api < 43 ? { Annotations: {} } : {}),
  };
}

/** As {@link hostConfigOfVersion}, for what an update changes. */
export function changesOfVersion(asked: UpdateBody, api: number): UpdateBody {
  return {
    ...asked,
    ...(api < 40 ? { PidsLimit: null } : {}),
    ...(api < 42 ? {} : { KernelMemory: 0 }),
  };
}

/** Several networks at once came with 1.44. @throws `invalid` in Docker's words. */
export function refuseManyNetworks(names: readonly string[], api: number): void {
  if (api >= 44 || names.length < 2) return;
  throw invalid(`Container cannot be created with multiple network endpoints: ${names.join(', ')}`);
}

/** Since 1.48 the engine says itself that a driver for all volumes of a container is none for those of `Mounts`. */
export function volumeDriverWarnings({ VolumeDriver, Mounts }: HostConfig, api: number): string[] {
  const ambiguous = Mounts.some(({ Type, VolumeOptions }) => {
    return Type === 'volume' && (VolumeOptions?.DriverConfig?.Name ?? '') === '';
  });
  if (api < 48 || VolumeDriver === '' || !ambiguous) return [];
  return [
    "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead",
  ];
}
