import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeRow, VolumeRows } from '../../store/volumes.ts';
import { conflict, invalid, kindOf, notFound, unsupported } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import { bytesBelow } from '../containers/size.ts';
import type { Events, Volumes, VolumeView } from '../engine.ts';
import { matchPruneLabels } from '../filters.ts';
import { selectVolumes } from './select-volumes.ts';

/** What containers need of volumes besides what clients do. */
export interface VolumeStock extends Volumes {
  /** As `create`, and in use by that container until the hold is disposed of; then its row must say so. */
  hold(request: Parameters<Volumes['create']>[0], containerId: string): Promise<{ volume: VolumeView } & Disposable>;
  /** Work that must not meet a removal or other work of the kind. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface VolumeParts {
  readonly rows: VolumeRows;
  readonly dir: string;
  readonly events: Events;
  /** Ids of the containers that mount it. */
  readonly users: (name: string) => readonly string[];
}

/** Label of a volume that nobody named. */
export const ANONYMOUS = 'com.docker.volume.anonymous';

/** Opens the volumes of a data root; directories that have no row, left by a kill, are removed. */
export function openVolumes({ rows, dir, events, users }: VolumeParts): VolumeStock {
  const known = new Map(rows.all().map((row) => [row.name, viewOf(row, dir)]));
  for (const name of readdirSync(dir)) if (!known.has(name)) rmSync(join(dir, name), { recursive: true, force: true });
  for (const { mountpoint } of known.values()) mkdirSync(mountpoint, { recursive: true });
  const locks = new KeyedLock();
  const holds = new Map<string, Set<string>>();
  const usersOf = (name: string) => [...new Set([...users(name), ...(holds.get(name) ?? [])])];
  const get = (name: string): VolumeView => {
    const found = known.get(name);
    if (found === undefined) throw notFound(`get ${name}: no such volume`);
    return found;
  };
  const emit = (action: string, id: string, attributes: Record<string, string>) =>
    events.emit({ type: 'volume', action, actor: { id, attributes } });

  const make = ({ name, labels }: Parameters<Volumes['create']>[0]): VolumeView => {
    const wanted = name || randomId();
    const found = known.get(wanted);
    if (found !== undefined) return found;
    const row = newRow(wanted, labels, name === '');
    const view = viewOf(row, dir);
    // Without a row it is the rest of a volume whose removal failed.
    rmSync(join(dir, wanted), { recursive: true, force: true });
    mkdirSync(join(dir, wanted), { mode: 0o701 });
    mkdirSync(view.mountpoint, { mode: 0o755 });
    rows.insert(row);
    known.set(wanted, view);
    emit('create', wanted, { driver: 'local' });
    return view;
  };
  const erase = (name: string) =>
    locks.run(name, async () => {
      get(name);
      const inUse = usersOf(name);
      if (inUse.length > 0) throw conflict(`remove ${name}: volume is in use - [${inUse.join(', ')}]`);
      rows.remove(name);
      known.delete(name);
      await rm(join(dir, name), { recursive: true, force: true });
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
    async hold(request, containerId) {
      checkRequest(request);
      return locks.run(request.name, async () => {
        const volume = make(request);
        const holders = holds.get(volume.name) ?? new Set<string>();
        holds.set(volume.name, holders.add(containerId));
        return { volume, [Symbol.dispose]: () => void holders.delete(containerId) };
      });
    },
    list: (filters) => selectVolumes([...known.values()], filters, (name) => usersOf(name).length > 0),
    usage: async (name) => ({ size: await bytesBelow(get(name).mountpoint), users: usersOf(name).length }),
    async remove(name, force) {
      if (!force || known.has(name)) await erase(name);
    },
    async prune(filters, all) {
      const deleted: string[] = [];
      let reclaimed = 0;
      for (const view of known.values()) {
        if (!(all || view.anonymous) || usersOf(view.name).length > 0) continue;
        if (!matchPruneLabels(filters, view.labels ?? {})) continue;
        const size = await bytesBelow(view.mountpoint);
        if (!(await erase(view.name).then(() => true, takenMeanwhile))) continue;
        deleted.push(view.name);
        reclaimed += size;
      }
      emit('prune', '', { reclaimed: String(reclaimed) });
      return { deleted, reclaimed };
    },
  };
}

/** Somebody else removed it, or uses it by now: no failure of a prune. */
function takenMeanwhile(error: unknown): false {
  if (!['conflict', 'not-found'].includes(kindOf(error))) throw error;
  return false;
}

function newRow(name: string, given: Readonly<Record<string, string>> | null, anonymous: boolean): VolumeRow {
  const labels = anonymous ? { ...given, [ANONYMOUS]: '' } : given;
  return { name, created: nowRfc3339Nano(), labels: JSON.stringify(labels), anonymous };
}

function viewOf({ name, created, labels, anonymous }: VolumeRow, dir: string): VolumeView {
  return {
    name,
    created,
    anonymous,
    labels: JSON.parse(labels) as Record<string, string> | null,
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
  for (const option of Object.keys(options)) {
    if (!['type', 'o', 'device', 'size'].includes(option)) throw invalid(`create ${name}: invalid option: "${option}"`);
    throw unsupported(`create ${name}: the option ${option} of the local driver is not supported yet by this engine`);
  }
}
