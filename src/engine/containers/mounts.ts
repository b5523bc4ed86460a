import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rootfsEntry } from '../../kernel/rootfs-file.ts';
import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { type WantedMount, wantedMounts } from '../runtime-spec/wanted-mounts.ts';
import type { ContainerMount, MountedImage, MountManner } from './model.ts';
import type { Parts } from './parts.ts';

type Known = Pick<Parts, 'images' | 'paths'>;

/**
 * The mounts a container asks for, but for volumes. As in Docker, those of `--tmpfs` are not among them, and a source that does
 * not exist is refused where `--mount` names it; where `-v` does, it is made before the container starts.
 *
 * @param images keeps those that are mounted from being removed while the container comes to be.
 * @throws `invalid` in Docker's words; `not-found` for an image.
 */
export async function planMounts(
  parts: Known,
  hostConfig: HostConfig,
  o: { readOnlyBelow: boolean; images: DisposableStack },
): Promise<ContainerMount[]> {
  const planned: ContainerMount[] = [];
  for (const mount of wantedMounts(hostConfig)) {
    if (mount.from === 'Tmpfs' || mount.type === 'volume') continue;
    if (mount.type === 'bind' && !mount.createSource) await sourceExists(mount.source);
    const image = mount.type === 'image' ? await mountedImage(parts, mount, o.images) : undefined;
    const readOnlyBelow = o.readOnlyBelow ? mount.readOnlyBelow : 'never';
    planned.push(toContainerMount({ ...mount, readOnlyBelow }, engineRoots(parts.paths), image));
  }
  return planned;
}

/** @throws `invalid` in Docker's words when it does not. */
export async function sourceExists(source: string): Promise<void> {
  if ((await ifExists(() => stat(source))) !== undefined) return;
  throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
}

/** An image never changes: what is found in it now is what will be mounted. */
async function mountedImage(
  { images }: Known,
  { source, subpath }: WantedMount,
  pins: DisposableStack,
): Promise<MountedImage> {
  const image = await images.resolve(source);
  pins.use(images.pin(image.id));
  const lower = images.lowerDirs(image);
  if (subpath === '') return { id: image.id, kind: 'directory', paths: lower };
  const found = await rootfsEntry(lower, subpath);
  if (found === undefined) throw invalid(`cannot access path ${subpath} of image ${source}: no such file or directory`);
  return { id: image.id, ...found };
}

/** Where the engine keeps what it must not carry into containers by accident: its data and what runs. */
export function engineRoots(paths: Pick<Parts['paths'], 'containers' | 'bundles'>): string[] {
  return [dirname(paths.containers), dirname(paths.bundles)];
}

/** @throws `invalid` in Docker's words when mounts of the engine's own would be kept from going away. */
export function toContainerMount(mount: WantedMount, roots: readonly string[], image?: MountedImage): ContainerMount {
  const { type, source, destination, mode, readOnly, propagation } = mount;
  const near = type === 'bind' ? roots.find((root) => isBelow(root, source) || isBelow(source, root)) : undefined;
  if (near !== undefined && !['', 'rslave', 'rshared'].includes(propagation)) {
    throw invalid(
      'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, ' +
        `daemon root: "${near}", bind mount source: "${source}", propagation: "${propagation}"`,
    );
  }
  return {
    type,
    name: type === 'image' ? source : '',
    source: type === 'bind' ? source : '',
    destination,
    driver: '',
    mode,
    rw: !readOnly,
    propagation: type === 'tmpfs' ? '' : propagation || (near === undefined ? 'rprivate' : 'rslave'),
    manner: { ...mannerOf(mount, near !== undefined), ...(image === undefined ? {} : { image }) },
  };
}

function mannerOf(mount: WantedMount, nearEngine: boolean): MountManner {
  const { type, nonRecursive, readOnlyBelow, createSource, options, propagation } = mount;
  if (type === 'tmpfs') return { options };
  return {
    ...(nonRecursive ? { nonRecursive } : {}),
    ...(readOnlyBelow === 'where possible' ? {} : { readOnlyBelow }),
    ...(type === 'bind' && !createSource ? { sourceMustExist: true } : {}),
    ...(nearEngine && propagation === '' ? { nearEngine } : {}),
  };
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
