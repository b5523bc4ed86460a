/** What a tar member is. `link` is a hard link. */
export type TarType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** A moment as tar's formats carry it: whole seconds since the epoch (rounded down) and nanoseconds after that. */
export interface TarTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** A file with holes: its length, and where each run of the stored data belongs. */
export interface SparseMap {
  readonly realSize: number;
  readonly segments: readonly { readonly offset: number; readonly length: number }[];
}

/**
 * One member of an archive, without its data. File names are bytes, not text: every string here that comes from
 * or goes to an archive has one char per byte (`latin1`).
 */
export interface TarEntry {
  readonly type: TarType;
  readonly name: string;
  /** Target of a hard or symbolic link. */
  readonly linkName: string;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of data that follow in the archive; 0 for all but files. */
  readonly size: number;
  readonly mtime: TarTime;
  readonly devMajor: number;
  readonly devMinor: number;
  /** By full name, e.g. `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Set for a file with holes; `size` then counts the stored data alone. */
  readonly sparse?: SparseMap;
}

export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** One char per byte, the form names have in a {@link TarEntry}. */
export function nameBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The opposite of {@link nameBytes}, for showing: bytes that are no UTF-8 become replacement characters. */
export function nameText(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
