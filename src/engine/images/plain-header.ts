import { NO_XATTRS, type TarType } from '../../util/tar/entry.ts';
import { encodeHeader } from '../../util/tar/tar-writer.ts';

/** One member of an archive the engine writes itself: owned by root, dated to the epoch, so that bytes never vary. */
export interface PlainMember {
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly size?: number;
  /** Of a link. */
  readonly target?: string;
}

/** The header of a plain member. */
export function plainHeader({ name, type, mode, size = 0, target = '' }: PlainMember): Buffer {
  const owner = { uid: 0, gid: 0, devMajor: 0, devMinor: 0, mtime: { seconds: 0, nanos: 0 } };
  return encodeHeader({ ...owner, name, type, mode, size, linkName: target, xattrs: NO_XATTRS });
}
