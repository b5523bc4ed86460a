import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { detachAll } from '../../kernel/detach.ts';
import type { VolumeRow, VolumeRows } from '../../store/volumes.ts';
import { conflict, invalid, notFound } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import { bytesBelow } from '../containers/size.ts';
import type { Events, Volumes, VolumeView } from '../engine.ts';
import { besideOf } from './copy-up.ts';
import { isLeftover, markLeftover } from './leftover.ts';
import { checkLocalOptions, isMounted } from './local-options.ts';
import { endProvisional, isProvisional, markProvisional } from './provisional.ts';
import { pruneVolumes } from './prune-volumes.ts';
import { selectVolumes } from './select-volumes.ts';
import { VolumeHolds } from './volume-holds.ts';
import { VolumeMounting } from './volume-mounting.ts';

/** What containers need of volumes besides what clients do. */
export interface VolumeStock extends Volumes {
  /**
   * As `create`, and in use by that container until the hold is disposed of; then its row must say so. One without a name is provisional: if the
   * daemon is killed before `settle`, the next one removes it unless the container's row is there.
   */
  hold(request: Parameters<Volumes['create']>[0], containerId: string): Promise<{ volume: VolumeView } & Disposable>;
  /** The container that it was made for exists. */
  settle(name: string): Promise<void>;
  /** It goes with the container that it was made for: from now on, as before `settle`. One that is gone already is left alone. */
  unsettle(name: string): Promise<void>;
  /**
   * Mounts what its options name, until the user leaves; a volume without such options costs nothing.
   *
   * @param user of the engine's own choice, a container's id.
   * @throws `internal` in Docker's words; `not-found`.
   */
  use(name: string, user: string): Promise<void>;
  leave(name: string, user: string): Promise<void>;
  /** Says who used what before this daemon; what nobody does is unmounted, what was made for a container that did not come to be is removed. */
  recover(users: readonly { name: string; user: string }[]): Promise<void>;
  /** Work that must not meet a removal or other work of the kind. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface VolumeParts {
  readonly rows: VolumeRows;
  readonly dir: string;
  readonly events: Events;
  /** Ids of the containers that mount it. */
  readonly users: (name: string) => readonly string[];
  readonly log: Log;
}

/** Label of a volume that nobody named. */
export const ANONYMOUS = 'com.docker.volume.anonymous';

/** Opens the volumes of a data root; directories that have no row, left by a kill, are removed. */
export async function openVolumes({ rows, dir: given, events, users, log }: VolumeParts): Promise<VolumeStock> {
  const dir = await realpath(given);
  const known = new Map(rows.all().map((row) => [row.name, viewOf(row, dir)]));
  await tidy(dir, known, log);
  const mounting = new VolumeMounting();
  const locks = new KeyedLock();
  const holds = new VolumeHolds();
  const usersOf = (name: string) => [...new Set([...users(name), ...holds.of(name)])];
  const inUse = (name: string) => usersOf(name).length > 0;
  const get = (name: string): VolumeView => {
    const found = known.get(name);
    if (found === undefined) throw notFound(`get ${name}: no such volume`);
    return found;
  };
  const emit = (action: string, id: string, attributes: Record<string, string>) =>
    events.emit({ type: 'volume', action, actor: { id, attributes } });

  const make = async (request: Parameters<Volumes['create']>[0], provisional = false): Promise<VolumeView> => {
    const found = known.get(request.name);
    if (found !== undefined) return found;
    const row = newRow(request);
    const view = viewOf(row, dir);
    await makeDirectory(view, log);
    if (provisional) await markProvisional(view.mountpoint);
    rows.insert(row);
    known.set(view.name, view);
    emit('create', view.name, { driver: 'local' });
    return view;
  };
  const erase = (name: string) =>
    locks.run(name, async () => {
      get(name);
      if (inUse(name)) throw conflict(`remove ${name}: volume is in use - [${usersOf(name).join(', ')}]`);
      await mounting.clear(get(name));
      await markLeftover(join(dir, name));
      rows.remove(name);
      known.delete(name);
      await eraseDirectory(join(dir, name), log);
      emit('destroy', name, { driver: 'local' });
    });
  const create: Volumes['create'] = async (request) => {
    checkRequest(request);
    return locks.run(request.name, async () => make(request));
  };
  return {
    get,
    create,
    exclusive: (name, work) => locks.run(name, work),
    use: (name, user) => locks.run(name, () => mounting.use(get(name), user)),
    leave: (name, user) =>
      locks.run(name, async () => {
        const volume = known.get(name);
        if (volume !== undefined) await mounting.leave(volume, user);
      }),
    recover: async (all) => {
      for (const { name, user } of all) mounting.adopt(name, user);
      await endInterrupted([...known.values()], { inUse, erase, log });
      await unmountUnused([...known.values()], (volume) => locks.run(volume.name, () => mounting.clear(volume)), log);
    },
    async hold(request, containerId) {
      checkRequest(request);
      return locks.run(request.name, async () => {
        const volume = await make(request, request.name === '');
        return Object.assign(holds.add(volume.name, containerId), { volume });
      });
    },
    settle: (name) => endProvisional(get(name).mountpoint),
    unsettle: async (name) => void (known.has(name) && (await markProvisional(get(name).mountpoint))),
    list: (filters) => selectVolumes([...known.values()], filters, inUse),
    usage: async (name) => ({ size: await bytesBelow(get(name).mountpoint), users: usersOf(name).length }),
    async remove(name, force) {
      if (!force || known.has(name)) await erase(name);
    },
    async prune(filters, all) {
      const pruned = await pruneVolumes([...known.values()], { filters, all, inUse, erase });
      emit('prune', '', { reclaimed: String(pruned.reclaimed) });
      return pruned;
    },
  };
}

/** What a kill left: directories of volumes that are gone, volumes that were being filled; a lost directory is made anew. */
async function tidy(dir: string, known: ReadonlyMap<string, VolumeView>, log: Log): Promise<void> {
  for (const name of await readdir(dir)) {
    if (known.has(name)) continue;
    // A lost or older database is no reason to throw away what people keep.
    if (await isLeftover(join(dir, name))) await eraseDirectory(join(dir, name), log);
    else
      log.warn('a directory among the volumes belongs to none of them, and is left alone', { path: join(dir, name) });
  }
  for (const { name, mountpoint, options } of known.values()) {
    try {
      await rm(besideOf(mountpoint), { recursive: true, force: true });
      // What is mounted there may be a server that does not answer.
      if (!isMounted(options)) await mkdir(mountpoint, { recursive: true });
    } catch (error) {
      log.warn('a volume could not be tidied up', { name, error });
    }
  }
}

/** A kill came while a container was being created or removed: its volumes go, unless its row was there. */
async function endInterrupted(
  volumes: readonly VolumeView[],
  { inUse, erase, log }: { inUse: (name: string) => boolean; erase: (name: string) => Promise<void>; log: Log },
): Promise<void> {
  const end = async ({ name, mountpoint }: VolumeView): Promise<void> => {
    if (!(await isProvisional(mountpoint))) return;
    await (inUse(name) ? endProvisional(mountpoint) : erase(name));
  };
  for (const volume of volumes) {
    await end(volume).catch((error: unknown) => log.warn('a volume stays provisional', { name: volume.name, error }));
  }
}

async function unmountUnused(
  volumes: readonly VolumeView[],
  clear: (volume: VolumeView) => Promise<void>,
  log: Log,
): Promise<void> {
  for (const volume of volumes) {
    await clear(volume).catch((error: unknown) => log.warn('a volume stays mounted', { name: volume.name, error }));
  }
}

function newRow({ name, labels: given, options }: Parameters<Volumes['create']>[0]): VolumeRow {
  const anonymous = name === '';
  const labels = anonymous ? { ...given, [ANONYMOUS]: '' } : given;
  const created = nowRfc3339Nano();
  return {
    name: name || randomId(),
    created,
    labels: JSON.stringify(labels),
    anonymous,
    options: JSON.stringify(options),
  };
}

/** What is there already has no row: it is the rest of a volume whose removal failed. */
async function makeDirectory({ name, mountpoint }: VolumeView, log: Log): Promise<void> {
  const dir = dirname(mountpoint);
  if (!(await eraseDirectory(dir, log))) throw conflict(`create ${name}: something is mounted in ${dir}`);
  await mkdir(dir, { mode: 0o701 });
  await mkdir(mountpoint, { mode: 0o755 });
}

/** Never reaches into what is mounted there: that is somebody's data. @returns whether it is gone. */
async function eraseDirectory(path: string, log: Log): Promise<boolean> {
  try {
    await detachAll(path);
    await rm(path, { recursive: true, force: true });
    return true;
  } catch (error) {
    log.warn('the directory of a volume that is gone stays until the next start', { path, error });
    return false;
  }
}

function viewOf({ name, created, labels, anonymous, options }: VolumeRow, dir: string): VolumeView {
  return {
    name,
    created,
    anonymous,
    labels: JSON.parse(labels) as Record<string, string> | null,
    options: JSON.parse(options) as Record<string, string> | null,
    mountpoint: join(dir, name, '_data'),
  };
}

/** @throws in Docker's words. */
function checkRequest({ name, driver, options }: Parameters<Volumes['create']>[0]): void {
  if (driver !== '' && driver !== 'local') {
    throw notFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`);
  }
  if (name.length === 1) {
    throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  }
  if (name !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw invalid(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  checkLocalOptions(name, options ?? {});
}
