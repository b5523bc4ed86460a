import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { rootfsEntry } from '../../kernel/rootfs-file.ts';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { invalid, kindOf, notFound } from '../../util/errors.ts';
import type { VolumeView } from '../engine.ts';
import { type WantedMount, wantedMounts } from '../runtime-spec/wanted-mounts.ts';
import { copyUp } from '../volumes/copy-up.ts';
import { isMounted } from '../volumes/local-options.ts';
import type { Container, ContainerMount } from './model.ts';
import type { Parts } from './parts.ts';
import { withSubpath } from './subpaths.ts';
import { borrowedMounts } from './volumes-from.ts';

type Place = Pick<WantedMount, 'source' | 'destination' | 'readOnly' | 'mode' | 'noCopy' | 'subpath'> & {
  readonly from: WantedMount['from'] | 'Volumes';
};

/** The volumes a new container mounts, and what else it takes over from others; they count as used until `release`, then its row says so. */
export interface VolumeMounts extends AsyncDisposable {
  readonly mounts: ContainerMount[];
  /** The container exists: what was made for it stays. Never fails. */
  keep(): Promise<void>;
}

/**
 * Finds or makes every volume that a new container wants, by name, without one, or because its image declares it. A volume
 * without content gets what the image has at that place. When the container does not come to be, the anonymous ones go.
 */
export async function takeVolumes(
  parts: Parts,
  { id, config, hostConfig, layers }: { id: string; config: ContainerConfig; hostConfig: HostConfig; layers: string[] },
): Promise<VolumeMounts> {
  await using undo = new AsyncDisposableStack();
  const borrowed = borrowedMounts(parts.registry, hostConfig);
  const mounts: ContainerMount[] = [];
  let kept = false;
  // Before anything waits: until then they are kept by the container that they come from.
  for (const { manner } of borrowed) if (manner?.image !== undefined) undo.use(parts.images.pin(manner.image.id));
  for (const { type, name } of borrowed) if (type === 'volume') undo.use(await holdExisting(parts, name, id));
  mounts.push(...borrowed);
  for (const place of wantedPlaces(config, hostConfig, borrowed)) {
    if (place.source === '') await refuseFile(layers, place.destination);
    const request = { name: place.source, ...driverOf(hostConfig, place) };
    const held = await parts.volumes.hold(request, id);
    undo.defer(async () => {
      held[Symbol.dispose]();
      if (!kept && place.source === '') await parts.volumes.remove(held.volume.name, true);
    });
    const { volume } = held;
    if (!place.noCopy && (await rootfsEntry(layers, place.destination)) !== undefined) {
      const o = { ...place, containerId: id, layers };
      const fillIt = (path: string) => parts.volumes.exclusive(volume.name, () => fill(parts, volume, path, o));
      await whileUsed(parts, { name: volume.name, user: `create ${id}`, containerId: id }, fillIt);
    }
    mounts.push(toMount(place, volume));
  }
  const taken = undo.move();
  return {
    mounts,
    keep: async () => {
      kept = true;
      await settleVolumes(parts, { id, mounts });
    },
    [Symbol.asyncDispose]: () => taken.disposeAsync(),
  };
}

/** Gives a volume, or the part of it that is to be mounted, what the image has at its place. */
async function fill(
  parts: Parts,
  { name, driver, options }: VolumeView,
  volume: string,
  o: Pick<Place, 'destination' | 'subpath'> & { containerId: string; layers: string[] },
): Promise<void> {
  const what = { layers: o.layers, path: o.destination, scratch: parts.paths.scratch };
  if (o.subpath === '') {
    // A container that has it mounted would go on with a directory that is no volume's any more.
    const inPlace = driver !== 'local' || isMounted(options) || parts.registry.mounting(name).length > 0;
    await copyUp({ ...what, volume, inPlace });
    return;
  }
  const part = { containerId: o.containerId, root: volume, subpath: o.subpath };
  await withSubpath(parts, part, async (place) => {
    if ((await stat(place)).isDirectory()) await copyUp({ ...what, volume: place, inPlace: true });
  });
}

/** @throws `invalid` in Docker's words for a place where the image has a file: no directory can be mounted there. */
async function refuseFile(layers: readonly string[], path: string): Promise<void> {
  if ((await rootfsEntry(layers, path))?.kind !== 'file') return;
  throw invalid(`cannot mount volume over existing file, file exists ${path}`);
}

/** Of a volume of another container, which may be going away right now. @throws `not-found` in Docker's words. */
async function holdExisting({ volumes }: Parts, name: string, containerId: string): Promise<Disposable> {
  const before = volumes.find(name);
  if (before === undefined) throw notFound(`get ${name}: no such volume`);
  const held = await volumes.hold({ name, driver: '', labels: null, options: null }, containerId);
  if (held.volume === before) return held;
  held[Symbol.dispose]();
  await volumes.remove(name, true);
  throw notFound(`get ${name}: no such volume`);
}

function toMount(
  { source, destination, mode, readOnly, from, subpath }: Place,
  { name, driver, mountpoint }: VolumeView,
): ContainerMount {
  const shownMode = from !== 'Volumes' && driver === 'local' && mode === '' ? 'z' : mode;
  return {
    type: 'volume',
    name,
    source: mountpoint,
    destination,
    driver,
    mode: shownMode,
    rw: !readOnly,
    propagation: '',
    ...(source === '' ? { anonymous: true } : {}),
    ...(subpath === '' ? {} : { manner: { subpath } }),
  };
}

/** What is asked for in the request first; a path the image or `Volumes` names is left out where something is mounted. */
function wantedPlaces(config: ContainerConfig, hostConfig: HostConfig, borrowed: readonly ContainerMount[]): Place[] {
  const asked = wantedMounts(hostConfig);
  const taken = new Set([...asked, ...borrowed].map(({ destination }) => destination));
  const declared = new Set(Object.keys(config.Volumes).map((path) => posix.resolve('/', path)));
  const plain = { source: '', readOnly: false, mode: '', noCopy: false, subpath: '', from: 'Volumes' } as const;
  return [
    ...asked.filter(({ type }) => type === 'volume'),
    ...[...declared].filter((path) => !taken.has(path)).map((destination) => ({ ...plain, destination })),
  ];
}

/** As in Docker, `VolumeDriver` is not for `Mounts`, which name their own. */
function driverOf({ Mounts, VolumeDriver }: HostConfig, { destination }: Place) {
  const mount = Mounts.find(({ Target }) => posix.resolve('/', Target) === destination);
  const { Labels = null, DriverConfig } = mount?.VolumeOptions ?? {};
  const driver = mount === undefined ? VolumeDriver : (DriverConfig?.Name ?? '');
  return { driver, labels: Labels, options: DriverConfig?.Options ?? null };
}

/** Work on a volume that is mounted meanwhile, at the path given. @throws `internal` in Docker's words. */
async function whileUsed<T>(
  parts: Pick<Parts, 'volumes' | 'log'>,
  { name, user, containerId }: { name: string; user: string; containerId: string },
  work: (path: string) => Promise<T>,
): Promise<T> {
  try {
    // One that fails may have it mounted all the same.
    return await work(await parts.volumes.use(name, user));
  } finally {
    await leaveVolume(parts, { name, user, containerId });
  }
}

const volumesOf = ({ mounts }: Container): string[] => [
  ...new Set(mounts.filter(({ type }) => type === 'volume').map(({ name }) => name)),
];

/** Has the volumes of a container mounted until {@link leaveVolumes}. @throws `internal` in Docker's words, and none is then. */
export async function useVolumes(
  parts: Pick<Parts, 'volumes' | 'log'>,
  container: Container,
  user: string = container.id,
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  undo.defer(() => leaveVolumes(parts, container, user));
  for (const name of volumesOf(container)) {
    const path = await parts.volumes.use(name, user);
    // A plugin may choose another one each time.
    for (const mount of container.mounts) if (mount.type === 'volume' && mount.name === name) mount.source = path;
  }
  undo.move();
}

/** One that cannot be unmounted stays until the next start. */
export async function leaveVolumes(
  parts: Pick<Parts, 'volumes' | 'log'>,
  container: Container,
  user: string = container.id,
): Promise<void> {
  for (const name of volumesOf(container)) await leaveVolume(parts, { name, user, containerId: container.id });
}

async function leaveVolume(
  { volumes, log }: Pick<Parts, 'volumes' | 'log'>,
  { name, user, containerId }: { name: string; user: string; containerId: string },
): Promise<void> {
  await volumes
    .leave(name, user)
    .catch((error: unknown) => log.warn('a volume stays mounted', { container: containerId, name, error }));
}

/** After a start of the daemon: who runs uses its volumes already, and so may those that cannot be read. */
export async function recoverVolumes({ registry, volumes }: Pick<Parts, 'registry' | 'volumes'>): Promise<void> {
  const idle = new Set(
    registry
      .all()
      .filter(({ live }) => live === undefined)
      .map(({ container }) => container.id),
  );
  await volumes.recover((name) => registry.mounting(name).filter((id) => !idle.has(id)));
}

/**
 * Says that the volumes that were made for a container only are to go, before its row does: should the daemon be killed in between, the next
 * one removes them. Never fails.
 */
export async function announceDrop(parts: Parts, container: Container): Promise<void> {
  await eachAnonymous(parts, container, 'a kill would leave a volume', (name) => parts.volumes.unsettle(name));
}

/** The container exists, and with it the volumes that were made for it. Never fails: a mark that stays is taken off by the next daemon. */
export async function settleVolumes(parts: Parts, container: Pick<Container, 'id' | 'mounts'>): Promise<void> {
  await eachAnonymous(parts, container, 'a volume stays provisional', (name) => parts.volumes.settle(name));
}

/** Removes the volumes that were made for a container only; one that others use by now stays. */
export async function dropAnonymous(parts: Parts, container: Container): Promise<void> {
  await eachAnonymous(parts, container, 'an anonymous volume stays', async (name) => {
    await parts.volumes.remove(name, true).catch(async (error: unknown) => {
      if (kindOf(error) !== 'conflict') throw error;
      await parts.volumes.settle(name);
    });
  });
}

/** What fails with one of them is told, and stands in nobody's way. */
async function eachAnonymous(
  { log }: Parts,
  { id, mounts }: Pick<Container, 'id' | 'mounts'>,
  otherwise: string,
  work: (name: string) => Promise<void>,
): Promise<void> {
  for (const { name, anonymous } of mounts) {
    if (anonymous !== true) continue;
    await work(name).catch((error: unknown) => log.warn(otherwise, { container: id, name, error }));
  }
}
