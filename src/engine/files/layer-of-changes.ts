import { type FoundFile, filled, type WalkedFile, walkFiles } from '../../kernel/files/walk.ts';
import { NO_XATTRS } from '../../util/tar/entry.ts';
import { padding } from '../../util/tar/header.ts';
import { encodeHeader, TAR_END } from '../../util/tar/tar-writer.ts';
import { isDirectory, packFile } from './pack.ts';

const OPAQUE_XATTR = 'trusted.overlay.opaque';
const CHARACTER_DEVICE = 0o020000;

/**
 * The layer that an upper directory is, as images have it (OCI image-spec, `layer.md`): whiteouts and opaque directories
 * become names, and nothing is left that only overlayfs understands.
 */
export async function* layerOfChanges(upper: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const names = new Map<string, string>();
  for await (const walked of walkFiles({ kind: 'tree', root: upper }, '/', signal)) {
    if (walked.file.path !== '') yield* layerMember(filled(walked), names);
  }
  yield TAR_END;
}

async function* layerMember(walked: WalkedFile, names: Map<string, string>): AsyncGenerator<Buffer> {
  const { file } = walked;
  if (isWhiteout(file)) {
    yield marker(whiteoutOf(file.path), 0o600, file.mtime);
    return;
  }
  yield* packFile(walked, file.path, names);
  if (isDirectory(file) && file.xattrs.get(OPAQUE_XATTR)?.toString() === 'y') {
    yield marker(`${file.path}/.wh..wh..opq`, file.mode & 0o777, { seconds: 0, nanos: 0 });
  }
}

/** Kernel, `filesystems/overlayfs.rst`, "whiteouts and opaque directories". */
const isWhiteout = ({ mode, devMajor, devMinor }: FoundFile): boolean =>
  (mode & 0o170000) === CHARACTER_DEVICE && devMajor === 0 && devMinor === 0;

function whiteoutOf(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
}

/** An empty file whose name says it all; the rest is as dockerd writes it. */
function marker(name: string, mode: number, mtime: FoundFile['mtime']): Buffer {
  const nobody = { uid: 0, gid: 0, devMajor: 0, devMinor: 0, linkName: '', size: padding(0) };
  return encodeHeader({ ...nobody, type: 'file', name, mode, mtime, xattrs: NO_XATTRS });
}
