import type { ContainerMount } from '../../engine/containers/model.ts';

/** One item of `Mounts`. */
export function mountPoint(mount: ContainerMount) {
  return {
    Type: mount.type,
    ...(mount.name === '' ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.driver === '' ? {} : { Driver: mount.driver }),
    Mode: mount.mode,
    RW: mount.rw,
    Propagation: mount.propagation,
  };
}
