/** Who is about to use a volume and has no row yet that says so. */
export class VolumeHolds {
  readonly #byName = new Map<string, Set<string>>();

  of(name: string): Iterable<string> {
    return this.#byName.get(name) ?? [];
  }

  add(name: string, user: string): Disposable {
    const users = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, users.add(user));
    return {
      [Symbol.dispose]: () => {
        users.delete(user);
        if (users.size === 0) this.#byName.delete(name);
      },
    };
  }
}
