import type { HostConfig, MountPoint } from '../spec/container.ts';
import { invalid } from '../util/errors.ts';

/** The groups of options of a mount, by the type they belong to. */
const GROUPS = { volume: 'VolumeOptions', bind: 'BindOptions', tmpfs: 'TmpfsOptions' } as const;

/**
 * The mounts of a request as its version of the API means them: what came later is refused, or ignored where older engines ignore
 * it.
 *
 * @throws `invalid` in Docker's words.
 */
export function mountsOfVersion(mounts: readonly MountPoint[], api: number): HostConfig['Mounts'] {
  return mounts.map((mount) => {
    refuseLater(mount, api);
    if (api >= 42) refuseOptionsOfOthers(mount);
    return api >= 42 ? mount : withoutLater(mount, api);
  });
}

function refuseLater({ Type, BindOptions, VolumeOptions }: MountPoint, api: number): void {
  if (api < 44 && Type === 'bind' && BindOptions?.ReadOnlyForceRecursive) {
    throw invalid('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
  }
  if (api < 45 && (VolumeOptions?.Subpath ?? '') !== '') {
    throw invalid('VolumeOptions.Subpath needs API v1.45 or newer');
  }
  if (api < 48 && Type === 'image') throw invalid('Mount type "Image" needs API v1.48 or newer');
}

function refuseOptionsOfOthers(mount: MountPoint): void {
  for (const [type, field] of Object.entries(GROUPS)) {
    if (mount[field] === null || mount.Type === type) continue;
    throw invalid(`${field} must not be specified on mount type ${JSON.stringify(mount.Type)}`);
  }
}

/** Before 1.42 some options of another type of mount were let through, and then did nothing. */
function withoutLater(mount: MountPoint, api: number): MountPoint {
  const { Type, BindOptions: bind } = mount;
  return {
    ...mount,
    BindOptions: bind && { ...bind, CreateMountpoint: false, NonRecursive: bind.NonRecursive && api >= 40 },
    TmpfsOptions: Type === 'tmpfs' ? mount.TmpfsOptions : null,
    VolumeOptions: Type === 'tmpfs' ? null : mount.VolumeOptions,
  };
}
