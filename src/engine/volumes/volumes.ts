import { mkdir, readdir, realpath } from 'node:fs/promises';
import type { VolumeRows } from '../../store/volumes.ts';
import { conflict, invalid, kindOf } from '../../util/errors.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import { removeTree } from '../../util/remove-tree.ts';
import { bytesBelow } from '../containers/size.ts';
import type { Events, Volumes, VolumeView } from '../engine.ts';
import { besideOf } from './copy-up.ts';
import { allVolumes, inspectVolume } from './find-volumes.ts';
import { isLeftover } from './leftover.ts';
import { eraseDirectory, localDriver } from './local-driver.ts';
import { checkLocalOptions, isMounted } from './local-options.ts';
import { pluginDriver } from './plugins/plugin-driver.ts';
import { pluginError } from './plugins/plugin-error.ts';
import { openVolumePlugins, type VolumePlugins } from './plugins/volume-plugins.ts';
import { endProvisional, isProvisional, markProvisional } from './provisional.ts';
import { pruneVolumes } from './prune-volumes.ts';
import { selectVolumes } from './select-volumes.ts';
import type { VolumeDriver } from './volume-driver.ts';
import { VolumeHolds } from './volume-holds.ts';
import { type NamedRequest, namedRequest, VolumeTable } from './volume-table.ts';

type CreateRequest = Parameters<Volumes['create']>[0];

/** What containers need of volumes besides what clients do. */
export interface VolumeStock extends Volumes {
  /** One that the engine knows of. */
  find(name: string): VolumeView | undefined;
  /**
   * As `create`, and in use by that container until the hold is disposed of; then its row must say so. One without a name is provisional: if the
   * daemon is killed before `settle`, the next one removes it unless the container's row is there.
   */
  hold(request: CreateRequest, containerId: string): Promise<{ volume: VolumeView } & Disposable>;
  /** The container that it was made for exists. @throws `not-found`. */
  settle(name: string): Promise<void>;
  /** It goes with the container that it was made for: from now on, as before `settle`. One that is gone already is left alone. */
  unsettle(name: string): Promise<void>;
  /**
   * Has its driver mount it, until the user leaves, and gives the path. One that is a plain directory costs nothing.
   *
   * @param user of the engine's own choice, a container's id.
   * @throws `internal` in Docker's words; `not-found`.
   */
  use(name: string, user: string): Promise<string>;
  /** Before `recover`, which sees to it, a plugin is told nothing. */
  leave(name: string, user: string): Promise<void>;
  /** Says who used what before this daemon; what nobody does is unmounted, what was made for a container that did not come to be is removed. */
  recover(stillUsing: (name: string) => readonly string[]): Promise<void>;
  /** Work that must not meet a removal or other work of the kind. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface VolumeParts {
  readonly rows: VolumeRows;
  readonly dir: string;
  readonly events: Events;
  /** Those of the host if nothing is said. */
  readonly plugins?: VolumePlugins;
  /** Ids of the containers that mount it. */
  readonly users: (name: string) => readonly string[];
  readonly log: Log;
}

/** Opens the volumes of a data root; directories that have no row, left by a kill, are removed. */
export async function openVolumes(parts: VolumeParts): Promise<VolumeStock> {
  const { rows, dir, events, plugins = openVolumePlugins(), users, log } = parts;
  const table = new VolumeTable(rows, await realpath(dir));
  await tidy(dir, table, log);
  const driverOf = openDrivers(table, plugins, log);
  const locks = new KeyedLock();
  const holds = new VolumeHolds();
  let recovered = false;
  const usersOf = (name: string) => [...new Set([...users(name), ...holds.of(name)])];
  const inUse = (name: string) => usersOf(name).length > 0;
  const emit = volumeEvents(events);
  const make = async (request: NamedRequest, o: { provisional: boolean }): Promise<VolumeView> => {
    const made = await makeVolume({ table, driverOf, plugins, log }, request, o);
    if (made.isNew) emit('create', made.volume.name, { driver: made.volume.driver });
    return made.volume;
  };
  const erase = (name: string, force = false) =>
    locks.run(name, async () => {
      const volume = table.find(name) ?? (await inspectVolume(table, plugins, name));
      if (inUse(name)) throw conflict(`remove ${name}: volume is in use - [${usersOf(name).join(', ')}]`);
      await eraseVolume({ table, driverOf }, volume, force);
      emit('destroy', name, { driver: volume.driver });
    });
  return {
    find: (name) => table.find(name),
    get: (name) => inspectVolume(table, plugins, name),
    create: async (request) => {
      checkRequest(request);
      const named = namedRequest(request);
      const made = await locks.run(named.name, () => make(named, { provisional: false }));
      // It is made; what its plugin says of it is not that important.
      return inspectVolume(table, plugins, made.name).catch(() => made);
    },
    exclusive: (name, work) => locks.run(name, work),
    use: (name, user) => locks.run(name, async () => driverOf(table.get(name)).use(table.get(name), user)),
    leave: (name, user) =>
      locks.run(name, async () => {
        const volume = table.find(name);
        if (volume !== undefined && (recovered || volume.driver === 'local'))
          await driverOf(volume).leave(volume, user);
      }),
    recover: async (stillUsing) => {
      recovered = true;
      const interrupted = await provisionalOf(table);
      const leave = (it: VolumeView) =>
        locks.run(it.name, () => driverOf(it).recover(it, new Set(stillUsing(it.name))));
      await eachRecovered(table.all(), async (it) => {
        await tolerated(it, () => leave(it), log, 'a volume stays mounted');
        if (!interrupted.has(it.name)) return;
        await tolerated(it, () => endInterrupted(table, it, { inUse, erase }), log, 'a volume stays provisional');
      });
    },
    async hold(request, containerId) {
      checkRequest(request);
      const named = namedRequest(request);
      return locks.run(named.name, async () => {
        const volume = await make(named, { provisional: named.anonymous });
        return Object.assign(holds.add(volume.name, containerId), { volume });
      });
    },
    settle: (name) => endProvisional(table.dirOf(table.get(name).name)),
    unsettle: async (name) => (table.find(name) === undefined ? undefined : markProvisional(table.dirOf(name))),
    async list(filters) {
      const { volumes, warnings } = await allVolumes(table, plugins);
      return { volumes: selectVolumes(volumes, filters, inUse), warnings };
    },
    usage: async (name) => ({ size: await bytesBelow(table.get(name).mountpoint), users: usersOf(name).length }),
    async remove(name, force) {
      await erase(name, force).catch((error: unknown) => {
        if (!(force && kindOf(error) === 'not-found')) throw error;
      });
    },
    async prune(filters, all) {
      const pruned = await pruneVolumes(table.all(), { filters, all, inUse, erase });
      emit('prune', '', { reclaimed: String(pruned.reclaimed) });
      return pruned;
    },
    drivers: () => ['local', ...plugins.known()].toSorted(),
  };
}

const volumeEvents =
  (events: VolumeParts['events']) => (action: string, id: string, attributes: Record<string, string>) =>
    events.emit({ type: 'volume', action, actor: { id, attributes } });

type DriverOf = (volume: Pick<VolumeView, 'driver'>) => VolumeDriver;

function openDrivers(table: VolumeTable, plugins: VolumePlugins, log: Log): DriverOf {
  const local = localDriver(log);
  const dirOf = (name: string) => table.dirOf(name);
  return ({ driver }) => (driver === 'local' ? local : pluginDriver(() => plugins.driver(driver), dirOf));
}

/** One that is there already is given back, and so is one that a plugin has. @throws `conflict` when another driver has the name. */
async function makeVolume(
  { table, driverOf, plugins, log }: { table: VolumeTable; driverOf: DriverOf; plugins: VolumePlugins; log: Log },
  request: NamedRequest,
  { provisional }: { provisional: boolean },
): Promise<{ volume: VolumeView; isNew: boolean }> {
  const { name, driver: wanted, anonymous } = request;
  const found = table.find(name);
  if (found !== undefined) {
    if (wanted === '' || wanted === found.driver) {
      await makeAgain(found, plugins);
      return { volume: found, isNew: false };
    }
    if (wanted !== 'local')
      await plugins.driver(wanted).catch((error: unknown) => {
        throw pluginError(`create ${name}`, error);
      });
    throw conflict(`create ${name}: driver '${found.driver}' already has volume '${name}': volume name must be unique`);
  }
  const owner = wanted === '' && !anonymous ? await plugins.owner(name) : undefined;
  const draft = table.draft(request, owner?.name ?? (wanted || 'local'));
  const { view } = draft;
  if (owner === undefined) await driverOf(view).create(view);
  else await mkdir(table.dirOf(name), { recursive: true, mode: 0o700 });
  try {
    if (provisional) await markProvisional(table.dirOf(name));
    table.insert(draft);
  } catch (error) {
    // Any other may have been the plugin's before, with content, and one of the engine's own goes at the next start if it has none.
    if (anonymous && view.driver !== 'local')
      await tolerated(
        view,
        () => driverOf(view).remove(view, () => {}),
        log,
        'a plugin keeps a volume that nobody has',
      );
    throw error;
  }
  return { volume: view, isNew: owner === undefined };
}

/** A plugin may have lost a volume that the engine knows of. */
async function makeAgain({ name, driver, options }: VolumeView, plugins: VolumePlugins): Promise<void> {
  if (driver === 'local') return;
  try {
    const plugin = await plugins.driver(driver);
    await plugin.get(name).catch((error: unknown) => {
      if (kindOf(error) !== 'not-found') throw error;
      // Not as a new one: that it is gone may be a passing error, and who has it mounted stays noted.
      return plugin.create(name, options ?? {});
    });
  } catch (error) {
    throw pluginError(`create ${name}`, error);
  }
}

/** `force`: as in Docker, one that its driver does not give up is forgotten, and the failure told all the same. */
async function eraseVolume(
  { table, driverOf }: { table: VolumeTable; driverOf: DriverOf },
  volume: VolumeView,
  force: boolean,
): Promise<void> {
  const forget = () => table.remove(volume.name);
  try {
    await driverOf(volume).remove(volume, forget);
  } catch (error) {
    if (force && volume.driver !== 'local') forget();
    throw error;
  }
}

/** Names of the volumes whose container did not come to be, as far as their directories say. */
async function provisionalOf(table: VolumeTable): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { name } of table.all()) if (await isProvisional(table.dirOf(name))) found.add(name);
  return found;
}

/** @param recoverOne never rejects, and asks for the volume's lock before it waits for anything. */
async function eachRecovered(
  volumes: readonly VolumeView[],
  recoverOne: (volume: VolumeView) => Promise<void>,
): Promise<void> {
  // No plugin that hangs keeps the engine from starting. All have their locks from here on: whoever wants one of the volumes
  // afterwards comes after what is taken back here, which would be its own otherwise.
  for (const it of volumes) if (it.driver !== 'local') void recoverOne(it);
  for (const it of volumes) if (it.driver === 'local') await recoverOne(it);
}

/** What a kill left: directories of volumes that are gone, volumes that were being filled; a lost directory is made anew. */
async function tidy(dir: string, table: VolumeTable, log: Log): Promise<void> {
  for (const name of await readdir(dir)) {
    if (table.find(name) !== undefined) continue;
    const path = table.dirOf(name);
    // A lost or older database is no reason to throw away what people keep.
    if (await isLeftover(path)) await eraseDirectory(path, log);
    else log.warn('a directory among the volumes belongs to none of them, and is left alone', { path });
  }
  const tidyOne = async ({ name, driver, mountpoint, options }: VolumeView): Promise<void> => {
    if (driver !== 'local') {
      await mkdir(table.dirOf(name), { recursive: true, mode: 0o700 });
      return;
    }
    await removeTree(besideOf(mountpoint));
    // What is mounted there may be a server that does not answer.
    if (!isMounted(options)) await mkdir(mountpoint, { recursive: true });
  };
  for (const it of table.all()) await tolerated(it, () => tidyOne(it), log, 'a volume could not be tidied up');
}

/** What fails with one of them is told, and stands in nobody's way. */
async function tolerated({ name }: VolumeView, work: () => Promise<void>, log: Log, otherwise: string): Promise<void> {
  await work().catch((error: unknown) => log.warn(otherwise, { name, error }));
}

/** A kill came while a container was being created or removed: its volumes go, unless its row was there. */
async function endInterrupted(
  table: VolumeTable,
  { name }: VolumeView,
  { inUse, erase }: { inUse: (name: string) => boolean; erase: (name: string) => Promise<void> },
): Promise<void> {
  await (inUse(name) ? endProvisional(table.dirOf(name)) : erase(name));
}

/** @throws in Docker's words. */
function checkRequest({ name, driver, options }: CreateRequest): void {
  const own = driver === '' || driver === 'local';
  if (own && name.length === 1) {
    throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  }
  if (name !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw invalid(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (own) checkLocalOptions(name, options ?? {});
}
