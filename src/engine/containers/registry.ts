import type { ContainerRow } from '../../store/containers.ts';
import { conflict, invalid, notFound } from '../../util/errors.ts';
import type { Container } from './model.ts';
import type { Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * All containers of this engine, in memory, by id and by name.
 *
 * A name is taken before anything is made under it, so that of two creates with one name only one goes on.
 */
export class Registry {
  readonly #byId = new Map<string, Tracked>();
  /** Name → id; the container of a reserved name may not exist yet. */
  readonly #names = new Map<string, string>();
  readonly #unread: ContainerRow[] = [];

  /** @throws `invalid` for a malformed name, `conflict` when it is taken. A leading slash is dropped. */
  reserve(name: string, id: string): string {
    const bare = name.replace(/^\//, '');
    if (!NAME.test(bare)) {
      throw invalid(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
    }
    const holder = this.#names.get(bare);
    if (holder !== undefined) {
      throw conflict(
        `Conflict. The container name "/${bare}" is already in use by container "${holder}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
    }
    this.#names.set(bare, id);
    return bare;
  }

  release(name: string): void {
    this.#names.delete(name);
  }

  taken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Adds a container whose name has been reserved for its id. */
  add(tracked: Tracked): void {
    this.#byId.set(tracked.container.id, tracked);
  }

  /** Notes a container whose row cannot be read. It is not found, and what its row names counts as used by it. */
  setAside(row: ContainerRow): void {
    this.#unread.push(row);
  }

  /** Ids of the containers whose rows cannot be read. */
  unread(): ReadonlySet<string> {
    return new Set(this.#unread.map(({ id }) => id));
  }

  /** Forgets a container and frees its name. */
  drop(container: Container): void {
    this.#byId.delete(container.id);
    this.release(container.name);
  }

  /** Newest first, as every list of Docker is. */
  all(): Tracked[] {
    return [...this.#byId.values()].reverse();
  }

  /** Ids of the containers made of an image or mounting it, by whether they run; of one that cannot be read, nobody knows that it does not. */
  usersOf(imageId: string): { running: string[]; stopped: string[] } {
    const users = [...this.#byId.values()].filter(({ container: { imageId: own, mounts } }) => {
      return own === imageId || mounts.some(({ manner }) => manner?.image?.id === imageId);
    });
    const unread = this.#unread.filter((row) => row.image === imageId || mentions(row, imageId));
    return {
      running: [...users.filter(isRunning).map(({ container }) => container.id), ...unread.map(({ id }) => id)],
      stopped: users.filter((it) => !isRunning(it)).map(({ container }) => container.id),
    };
  }

  /** Ids of the containers that mount a volume. */
  mounting(volume: string): string[] {
    const all = [...this.#byId.values()].map(({ container }) => container);
    return [
      ...all.filter(({ mounts }) => mounts.some(({ type, name }) => type === 'volume' && name === volume)),
      ...this.#unread.filter((row) => mentions(row, volume)),
    ].map(({ id }) => id);
  }

  byId(id: string): Tracked | undefined {
    return this.#byId.get(id);
  }

  /**
   * Finds by full id, then by name, then by a unique prefix of an id.
   *
   * @throws `not-found`, or `invalid` when several ids begin so.
   */
  find(ref: string): Tracked {
    const found = this.#byId.get(ref) ?? this.#byId.get(this.#names.get(ref.replace(/^\//, '')) ?? '');
    if (found !== undefined) return found;
    const matches = /^[0-9a-f]+$/.test(ref)
      ? [...this.#byId.values()].filter((t) => t.container.id.startsWith(ref))
      : [];
    if (matches.length > 1) throw invalid(`Multiple IDs found with provided prefix: ${ref}`);
    const only = matches[0];
    if (only === undefined) throw notFound(`No such container: ${ref}`);
    return only;
  }
}

/** Whatever the form of a row, what it names it names in quotes. */
const mentions = ({ spec }: ContainerRow, name: string): boolean => spec.includes(JSON.stringify(name));
