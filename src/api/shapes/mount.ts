import type { ContainerMount } from '../../engine/containers/model.ts';
import type { MountPoint } from '../../spec/container.ts';
import { omitZero } from './omit-zero.ts';

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

const MAPS = ['Labels', 'Options'];

/** One item of `HostConfig.Mounts`: what was asked for. A group of options that was given stays, be it empty. */
export function mountRequest(mount: Partial<MountPoint>): object {
  return dropZeros(mount);
}

function dropZeros(value: object): object {
  const entries = Object.entries(value).map(([name, field]: [string, unknown]): [string, unknown] => {
    return [name, isGroup(name, field) ? dropZeros(field) : field];
  });
  const shown = Object.fromEntries(entries);
  const flat = Object.keys(shown).filter((name) => !isGroup(name, shown[name]));
  return omitZero(shown, flat);
}

const isGroup = (name: string, field: unknown): field is object =>
  typeof field === 'object' && field !== null && !Array.isArray(field) && !MAPS.includes(name);
