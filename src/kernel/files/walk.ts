import { internal } from '../../util/errors.ts';
import { nameText, type SparseMap, type TarEntry, type TarType } from '../../util/tar/entry.ts';
import { readRuns, takeFile } from './direct-file.ts';
import { FileWorker } from './file-worker.ts';
import { type BodyReader, type FrameHead, frame } from './frames.ts';
import type { FileView } from './view.ts';

/** A file as a worker found it. Names are bytes, one char each. */
export interface FoundFile {
  /** Relative to where the walk began, which itself is the empty path. For `statFile`: from the root. */
  readonly path: string;
  readonly linkTarget: string;
  /** Type and permissions, as `stat` has them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly links: number;
  /** The same for two names of one file. */
  readonly identity: string;
  readonly mtime: { readonly seconds: number; readonly nanos: number };
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly sparse: SparseMap | undefined;
}

/** A file with what is in it: to be read, or not, before the next one is asked for. */
export interface WalkedFile {
  readonly file: FoundFile;
  readonly data: () => AsyncGenerator<Buffer>;
}

const TYPES: Readonly<Record<number, TarType>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
  0o020000: 'char',
  0o060000: 'block',
  0o010000: 'fifo',
};

export const FILE_TYPE = 0o170000;

/** What it is in an archive; undefined for a socket, which no archive can hold. */
export function tarType({ mode }: Pick<FoundFile, 'mode'>): TarType | undefined {
  return TYPES[mode & FILE_TYPE];
}

/** The mode of a new file of that type. */
export function typeBits(type: Exclude<TarType, 'link'>): number {
  return Number(Object.keys(TYPES).find((bits) => TYPES[Number(bits)] === type));
}

/** Bytes stored of a file: less than its size when it has holes. */
export function storedSize({ size, sparse }: FoundFile): number {
  return sparse === undefined ? size : sparse.segments.reduce((sum, { length }) => sum + length, 0);
}

/** Looks a path up, not following a last symbolic link, whose end is then `linkTarget`. @throws `not-found`. */
export async function statFile(view: FileView, path: string, signal: AbortSignal): Promise<FoundFile> {
  await using worker = new FileWorker(view, 'stat', [path], signal);
  return await nextFile(worker);
}

/** A walk that has begun. */
export interface Walk extends AsyncDisposable {
  readonly pid: number;
  /** What is at the path, as `statFile` tells it. */
  readonly found: FoundFile;
  /** A file, or a directory and everything below it: each before what is in it. To be gone through once. */
  readonly files: AsyncIterable<WalkedFile>;
}

/** Looks a path up and begins to walk what is there. @throws `not-found`. */
export async function openWalk(view: FileView, path: string, signal: AbortSignal): Promise<Walk> {
  await using undo = new AsyncDisposableStack();
  const worker = undo.use(new FileWorker(view, 'walk', [path], signal));
  const found = await nextFile(worker);
  const stack = undo.move();
  return { pid: worker.pid, found, files: filesOf(worker), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The files of a walk alone. @throws `not-found`. */
export async function* walkFiles(view: FileView, path: string, signal: AbortSignal): AsyncGenerator<WalkedFile> {
  await using walk = await openWalk(view, path, signal);
  yield* walk.files;
}

async function nextFile(worker: FileWorker): Promise<FoundFile> {
  const head = await worker.next();
  return readFacts(await worker.body(head?.length ?? 0));
}

async function* filesOf(worker: FileWorker): AsyncGenerator<WalkedFile> {
  for (let head = await worker.next(); head !== undefined; head = await worker.next()) {
    const file = readFacts(await worker.body(head.length));
    let unread = (file.mode & FILE_TYPE) === 0o100000 ? storedSize(file) : 0;
    const data = async function* (): AsyncGenerator<Buffer> {
      for (; unread > 0; ) {
        for await (const part of partsOf(worker, await worker.next(), file)) {
          unread -= part.length;
          yield part;
        }
      }
    };
    yield { file, data };
    if (unread > 0) await skip(worker, unread);
  }
}

async function* partsOf(worker: FileWorker, head: FrameHead | undefined, file: FoundFile): AsyncGenerator<Buffer> {
  if (head?.type !== 'F') {
    for (let left = head?.length ?? 0; left > 0; ) {
      const part = await worker.some(left);
      left -= part.length;
      yield part;
    }
    return;
  }
  await using taken = await takeFile(worker, head, 'read');
  yield* readRuns(taken, file.sparse?.segments ?? [{ offset: 0, length: file.size }], nameText(file.path));
  void worker.write(frame('G'));
}

/** Goes past the data of a file that nobody wants. */
async function skip(worker: FileWorker, unread: number): Promise<void> {
  for (let left = unread; left > 0; ) {
    const head = await worker.next();
    const length = head?.length ?? 0;
    await worker.body(length);
    left = head?.type === 'F' ? 0 : left - length;
    if (head?.type === 'F') void worker.write(frame('G'));
  }
}

function readFacts(body: BodyReader): FoundFile {
  const [path, linkTarget] = [body.text(), body.text()];
  const [mode, uid, gid, links, diskMajor, diskMinor] = [0, 0, 0, 0, 0, 0].map(() => body.uint()) as Six;
  const [size, seconds] = [body.long(), body.long()];
  const [nanos, devMajor, devMinor, runs, attributes] = [0, 0, 0, 0, 0].map(() => body.uint()) as Five;
  const identity = `${diskMajor}:${diskMinor}:${body.id()}`;
  const segments = Array.from({ length: runs }, () => ({ offset: body.long(), length: body.long() }));
  const xattrs = new Map(Array.from({ length: attributes }, () => [body.text(), Buffer.from(body.bytes())] as const));
  return {
    path,
    linkTarget,
    mode,
    uid,
    gid,
    size,
    links,
    identity,
    devMajor,
    devMinor,
    xattrs,
    mtime: { seconds, nanos },
    sparse: runs === 0 ? undefined : { realSize: size, segments },
  };
}

type Five = [number, number, number, number, number];
type Six = [...Five, number];

/**
 * The file without holes. Layers must have none: many readers lose them, and dockerd cannot save a layer again that came with
 * some (OCI image-spec, `layer.md`, "sparse files should not be used").
 */
export function filled(walked: WalkedFile): WalkedFile {
  const { sparse } = walked.file;
  if (sparse === undefined) return walked;
  return { file: { ...walked.file, sparse: undefined }, data: () => withZeros(sparse, walked.data()) };
}

async function* withZeros({ realSize, segments }: SparseMap, parts: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { offset, length } of segments) {
    yield* zeros(offset - at);
    for (let left = length; left > 0; ) {
      // A part never goes beyond its segment.
      const { value } = await parts.next();
      if (value === undefined) throw internal('the data of a sparse file ended early');
      left -= value.length;
      yield value;
    }
    at = offset + length;
  }
  yield* zeros(realSize - at);
}

const ZEROS = Buffer.alloc(1 << 18);

function* zeros(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

/** The member of an archive that stands for a file. */
export function tarEntry(file: FoundFile, name: string, type: TarType): TarEntry {
  const { linkTarget, mode, uid, gid, mtime, devMajor, devMinor, xattrs, sparse } = file;
  return {
    type,
    name,
    uid,
    gid,
    mtime,
    devMajor,
    devMinor,
    xattrs,
    linkName: type === 'symlink' ? linkTarget : '',
    mode: mode & 0o7777,
    size: type === 'file' ? storedSize(file) : 0,
    ...(sparse === undefined || type !== 'file' ? {} : { sparse }),
  };
}
