import { join } from 'node:path';
import type { VolumeRow, VolumeRows } from '../../store/volumes.ts';
import { notFound } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { Volumes, VolumeView } from '../engine.ts';

type CreateRequest = Parameters<Volumes['create']>[0];

/** A request with the name that the volume is to have, which the engine chose if it is `anonymous`. */
export interface NamedRequest extends CreateRequest {
  readonly anonymous: boolean;
}

/** Label of a volume that nobody named. */
export const ANONYMOUS = 'com.docker.volume.anonymous';

/** The volumes that the engine knows of, in memory and on disk. */
export class VolumeTable {
  readonly #rows: VolumeRows;
  readonly #dir: string;
  readonly #known: Map<string, VolumeView>;

  constructor(rows: VolumeRows, dir: string) {
    this.#rows = rows;
    this.#dir = dir;
    this.#known = new Map(rows.all().map((row) => [row.name, this.#viewOf(row)]));
  }

  all(): VolumeView[] {
    return [...this.#known.values()];
  }

  find(name: string): VolumeView | undefined {
    return this.#known.get(name);
  }

  /** @throws `not-found`. */
  get(name: string): VolumeView {
    const found = this.find(name);
    if (found === undefined) throw notFound(`get ${name}: no such volume`);
    return found;
  }

  /** One that is not in the table yet. */
  draft(request: NamedRequest, driver: string): { row: VolumeRow; view: VolumeView } {
    const row = newRow(request, driver);
    return { row, view: this.#viewOf(row) };
  }

  insert({ row, view }: { row: VolumeRow; view: VolumeView }): void {
    this.#rows.insert(row);
    this.#known.set(view.name, view);
  }

  remove(name: string): void {
    this.#rows.remove(name);
    this.#known.delete(name);
  }

  /** The directory of the engine's own that goes with a volume, whatever its driver. */
  dirOf(name: string): string {
    return join(this.#dir, name);
  }

  #viewOf({ name, created, labels, anonymous, options, driver }: VolumeRow): VolumeView {
    return {
      name,
      created,
      anonymous,
      driver,
      scope: 'local',
      labels: JSON.parse(labels) as Record<string, string> | null,
      options: JSON.parse(options) as Record<string, string> | null,
      // Where a plugin mounts its own, it says itself.
      mountpoint: driver === 'local' ? join(this.dirOf(name), '_data') : '',
    };
  }
}

/** What is done to a volume of its own is done under a name of its own from the first moment. */
export function namedRequest(request: CreateRequest): NamedRequest {
  const anonymous = request.name === '';
  return { ...request, name: anonymous ? randomId() : request.name, anonymous };
}

function newRow({ name, anonymous, labels: given, options }: NamedRequest, driver: string): VolumeRow {
  const labels = anonymous ? { ...given, [ANONYMOUS]: '' } : given;
  return {
    name,
    created: nowRfc3339Nano(),
    labels: JSON.stringify(labels),
    anonymous,
    options: JSON.stringify(options),
    driver,
  };
}
