import { invalid } from '../../util/errors.ts';

/** `size` ids from `container` on inside are those from `host` on outside. Source: user_namespaces(7). */
export interface IdRange {
  readonly container: number;
  readonly host: number;
  readonly size: number;
}

/** The maps of a user namespace. */
export interface IdMaps {
  readonly uid: readonly IdRange[];
  readonly gid: readonly IdRange[];
}

/** The kernel takes 340 lines; one of them the engine needs itself. */
const MAX_RANGES = 339;

/**
 * The ids that subuid(5) or subgid(5) gives an owner, as a map that begins with root. An owner stands there by name or by number.
 *
 * @throws `invalid` in dockerd's words when there are none.
 */
export function subordinateIds(
  text: string,
  owner: { readonly name: string; readonly id: number; readonly kind: 'user' | 'group' },
): IdRange[] {
  const ranges = text.split('\n').flatMap((line) => {
    const [name, first, count] = line.trim().split(':');
    if (name !== owner.name && name !== String(owner.id)) return [];
    // An empty field is no 0: that would make root in a container root of the host.
    const [host, size] = [first, count].map((field = '') => (/^\d+$/.test(field) ? Number(field) : 0)) as [
      number,
      number,
    ];
    return host > 0 && size > 0 ? [{ host, size }] : [];
  });
  if (ranges.length === 0) {
    const file = owner.kind === 'user' ? 'subuid' : 'subgid';
    throw invalid(`Can't create ID mappings: No ${file} ranges found for ${owner.kind} "${owner.name}"`);
  }
  let container = 0;
  const map = ranges
    .toSorted((a, b) => a.host - b.host)
    .map(({ host, size }) => {
      const range = { container, host, size };
      container += size;
      return range;
    });
  return map.slice(0, MAX_RANGES);
}

/** As `/proc/<pid>/uid_map` is written. */
export function mapText(map: readonly IdRange[]): string {
  return map.map(({ container, host, size }) => `${container} ${host} ${size}\n`).join('');
}

/** The same, however the kernel has laid out its columns. */
export function sameMapText(a: string, b: string): boolean {
  const words = (text: string) => text.trim().split(/\s+/).join(' ');
  return words(a) === words(b);
}

/** What an id inside is outside. Root is always there. */
export function hostRoot({ uid, gid }: IdMaps): { readonly uid: number; readonly gid: number } {
  return { uid: uid[0]?.host ?? 0, gid: gid[0]?.host ?? 0 };
}
