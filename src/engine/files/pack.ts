import { FILE_TYPE, type FoundFile, tarEntry, tarType, type WalkedFile } from '../../kernel/files/walk.ts';
import { NO_XATTRS } from '../../util/tar/entry.ts';
import { BLOCK, padding } from '../../util/tar/header.ts';
import { encodeHeader, TAR_END } from '../../util/tar/tar-writer.ts';

const ZEROS = Buffer.alloc(BLOCK);
const SECURITY_LABEL = 'security.selinux';
const OVERLAY = /^(?:trusted|user)\.overlay\./;

/**
 * The archive of files as they are walked. A second name of a file is a hard link to the first.
 *
 * @param nameOf the name in the archive of a path of the walk; undefined leaves a file out
 */
export async function* packFiles(
  files: AsyncIterable<WalkedFile>,
  nameOf: (path: string) => string | undefined,
): AsyncGenerator<Buffer> {
  const names = new Map<string, string>();
  for await (const walked of files) {
    const name = nameOf(walked.file.path);
    if (name !== undefined) yield* packFile(walked, name, names);
  }
  yield TAR_END;
}

/** One file's part of an archive; nothing for a socket. `names`: of the files that have several, by identity. */
export async function* packFile(
  { file, data }: WalkedFile,
  name: string,
  names: Map<string, string>,
): AsyncGenerator<Buffer> {
  const type = tarType(file);
  if (type === undefined) return;
  const first = file.links > 1 && type !== 'directory' ? names.get(file.identity) : undefined;
  if (first !== undefined) {
    // Whatever else it is, it is by its first name.
    yield encodeHeader({ ...tarEntry(file, name, 'link'), linkName: first, xattrs: NO_XATTRS });
    return;
  }
  if (file.links > 1) names.set(file.identity, name);
  const entry = { ...tarEntry(file, name, type), xattrs: lasting(file) };
  yield encodeHeader(entry);
  if (type !== 'file') return;
  yield* data();
  const fill = padding(entry.size);
  if (fill > 0) yield ZEROS.subarray(0, fill);
}

/** The attributes that belong to a file wherever it goes. */
function lasting({ xattrs }: FoundFile): ReadonlyMap<string, Buffer> {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => name !== SECURITY_LABEL && !OVERLAY.test(name)));
}

export const isDirectory = ({ mode }: Pick<FoundFile, 'mode'>): boolean => (mode & FILE_TYPE) === 0o040000;
