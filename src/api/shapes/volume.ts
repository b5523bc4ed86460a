import type { VolumeView } from '../../engine/engine.ts';

/** A volume as every call shows it; `usage` is told by `GET /system/df` only. */
export function volumeShape(volume: VolumeView, usage?: { size: number; users: number }) {
  return {
    CreatedAt: volume.created.replace(/\.\d+/, ''),
    Driver: volume.driver,
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: volume.options,
    Scope: volume.scope,
    ...(volume.status === undefined ? {} : { Status: volume.status }),
    ...(usage === undefined ? {} : { UsageData: { Size: usage.size, RefCount: usage.users } }),
  };
}
