import { nameBytes, type TarEntry, type TarType } from '../../src/util/tar/entry.ts';
import { type Member, seeded } from '../../src/util/tar/tar-fixture.ts';

/** What a tree has at a path, without what its files look like. */
type Kinds = Map<string, TarType>;

const NAMES = ['plain', 'with space', nameBytes('grüße-漢字'), '\xff\xfe', 'x'.repeat(150), "q'uote\n", '-dash', '*'];
const TARGETS = ['/etc/passwd', '../../../x', 'plain', 'a/b/c', '/', 'y'.repeat(300), nameBytes('ü')];
/** `cap_net_raw=ep`, as the kernel keeps it. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/**
 * The members of some layers, lowest first, as an honest writer makes them: every directory is listed before what is in
 * it, hard links and whiteouts speak of what is there. The same seed gives the same layers.
 */
export function randomLayers(seed: number, count: number): Member[][] {
  const below: Kinds = new Map([['', 'directory']]);
  return Array.from({ length: count }, (_, at) => new RandomLayer(seeded(seed * 64 + at), below).members());
}

class RandomLayer {
  readonly #below: (limit: number) => number;
  /** What the layers so far show. */
  readonly #tree: Kinds;
  /** What this layer itself has said something about. */
  readonly #own = new Map<string, TarType | 'whiteout'>();
  readonly #members: Member[] = [];
  readonly #fresh: string;

  constructor(below: (limit: number) => number, tree: Kinds) {
    this.#below = below;
    this.#tree = tree;
    this.#fresh = String(below(1_000_000));
  }

  members(): Member[] {
    for (let i = 0; i < 60; i++) {
      const act = this.#below(10);
      if (act === 0) this.#hide();
      else if (act === 1) this.#makeOpaque();
      else if (act === 2) this.#replace();
      else this.#add(i);
    }
    return this.#members;
  }

  #pick<T>(options: readonly T[]): T {
    return options[this.#below(options.length)] as T;
  }

  /** Some path that a lower layer has and this one has not spoken of, nor of anything in it. */
  #untouched(): string | undefined {
    const own = [...this.#own.keys()];
    const free = (path: string): boolean =>
      path !== '' && !own.some((one) => one === path || one.startsWith(`${path}/`) || path.startsWith(`${one}/.wh.`));
    const paths = [...this.#tree.keys()].filter(free);
    return paths.length === 0 ? undefined : this.#pick(paths);
  }

  #hide(): void {
    const path = this.#untouched();
    if (path === undefined) return;
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    this.#list(parent);
    this.#forget(path);
    this.#own.set(path, 'whiteout');
    this.#members.push({ name: `${prefixed(parent)}.wh.${path.slice(path.lastIndexOf('/') + 1)}` });
  }

  #makeOpaque(): void {
    const path = this.#untouched();
    if (path === undefined || this.#tree.get(path) !== 'directory') return;
    this.#list(path);
    for (const key of this.#tree.keys()) if (key.startsWith(`${path}/`)) this.#tree.delete(key);
    this.#members.push({ name: `${path}/.wh..wh..opq` });
  }

  /** Something else at a path of a lower layer. */
  #replace(): void {
    const path = this.#untouched();
    if (path === undefined) return;
    this.#list(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    this.#put(path);
  }

  #add(index: number): void {
    const parent = this.#pick([...this.#tree].filter(([, kind]) => kind === 'directory').map(([path]) => path));
    this.#list(parent);
    this.#put(`${prefixed(parent)}${this.#pick(NAMES)}${this.#fresh}-${index}`);
  }

  /** Says of a directory and those above it what they look like in this layer. */
  #list(directory: string): void {
    const parts = directory.split('/');
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      if (path === '' || this.#own.has(path)) continue;
      this.#own.set(path, 'directory');
      this.#members.push({ ...this.#attributes(), name: `${path}/`, type: 'directory' });
    }
  }

  #forget(path: string): void {
    for (const key of this.#tree.keys()) if (key === path || key.startsWith(`${path}/`)) this.#tree.delete(key);
  }

  #put(path: string): void {
    const files = [...this.#own].filter(([, kind]) => kind === 'file').map(([name]) => name);
    const kinds: TarType[] = ['directory', 'directory', 'directory', 'file', 'file', 'file', 'symlink', 'fifo', 'char'];
    const kind = this.#pick<TarType>(files.length === 0 ? kinds : [...kinds, 'link', 'block']);
    this.#forget(path);
    this.#tree.set(path, kind);
    this.#own.set(path, kind);
    this.#members.push(this.#member(path, kind, files));
  }

  #member(name: string, type: TarType, files: readonly string[]): Member {
    const base = { ...this.#attributes(), name, type };
    if (type === 'link') return this.#link(name, this.#pick(files));
    if (type === 'directory') return { ...base, name: `${name}/` };
    if (type === 'file') return this.#below(5) === 0 ? { ...base, ...this.#holes() } : { ...base, ...this.#content() };
    const plain = { ...base, xattrs: new Map<string, Buffer>() };
    if (type === 'symlink') return { ...plain, mode: 0o777, linkName: this.#pick(TARGETS) };
    return type === 'fifo' ? plain : { ...plain, devMajor: 1, devMinor: 1 + this.#below(300) };
  }

  /** A hard link says of its file what the file's own member says, as dockerd sets it once more. */
  #link(name: string, linkName: string): Member {
    const { mode, uid, gid, mtime, xattrs } = this.#members.findLast((member) => member.name === linkName) as TarEntry;
    return { name, type: 'link', linkName, mode, uid, gid, mtime, xattrs };
  }

  #attributes(): Omit<Member, 'name'> {
    const xattrs = new Map<string, Buffer>();
    if (this.#below(4) === 0) xattrs.set('user.note', Buffer.from([0, 1, 255, 10, 61]));
    if (this.#below(4) === 0) xattrs.set('user.odd%3Dname%', Buffer.from('a\nb'));
    if (this.#below(6) === 0) xattrs.set('security.capability', CAPABILITY);
    return {
      mode: this.#pick([0o644, 0o755, 0o4755, 0o2711, 0o1777, 0o600, 0, 0o6777]),
      uid: this.#pick([0, 1, 1000, 65534, 3_000_000]),
      gid: this.#pick([0, 5, 1000, 2_500_000]),
      mtime: { seconds: this.#pick([0, 1, 1_600_000_000, 2 ** 33]), nanos: this.#pick([0, 0, 1, 999_999_999]) },
      xattrs,
    };
  }

  #content(): Pick<Member, 'data' | 'size'> {
    const data = Buffer.alloc(this.#pick([0, 1, 511, 512, 513, 70_000]), this.#fresh);
    return { data, size: data.length };
  }

  /** A file of which some runs are stored. */
  #holes(): Pick<Member, 'data' | 'size' | 'sparse'> {
    const count = this.#pick([1, 4, 5, 30]);
    const segments = Array.from({ length: count }, (_, at) => ({ offset: at * 65_536, length: 512 * (1 + (at % 3)) }));
    const size = segments.reduce((sum, { length }) => sum + length, 0);
    return { data: Buffer.alloc(size, this.#fresh), size, sparse: { realSize: count * 65_536 + 1, segments } };
  }
}

const prefixed = (directory: string): string => (directory === '' ? '' : `${directory}/`);
