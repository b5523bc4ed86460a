import type { VolumeView } from '../../engine/engine.ts';

/** A volume as every call shows it; `usage` is told by `GET /system/df` only. */
export function volumeShape(volume: VolumeView, usage?: { size: number; users: number }) {
  return {
    CreatedAt: volume.created.replace(/\.\d+/, ''),
    Driver: 'local',
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: volume.options,
    Scope: 'local',
    ...(usage === undefined ? {} : { UsageData: { Size: usage.size, RefCount: usage.users } }),
  };
}
