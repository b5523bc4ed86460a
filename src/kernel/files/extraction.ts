import { posix } from 'node:path';
import { internal } from '../../util/errors.ts';
import { nameText, type TarEntry } from '../../util/tar/entry.ts';
import { RunWriter, takeFile } from './direct-file.ts';
import { FileWorker } from './file-worker.ts';
import { field, frame, frameHead } from './frames.ts';
import type { FileView } from './view.ts';
import { typeBits } from './walk.ts';

/** From so many bytes on data does not go through the worker. */
const MUCH = 1 << 19;

/** A file whose data the engine writes itself, and how much is to come. */
interface DirectData {
  readonly file: RunWriter;
  left: number;
}

/** Files being written below a directory of a container. */
export interface Extraction extends AsyncDisposable {
  /** The directory's real path in the container. */
  readonly path: string;
  /** Begins a file; as much data must follow as the entry says. */
  add(entry: TarEntry): Promise<void>;
  data(bytes: Buffer): Promise<void>;
  /** Resolves when all is written. @throws what went wrong. */
  finish(): Promise<void>;
}

/**
 * Opens a directory for files to come.
 *
 * @param keepKinds a directory is not replaced by a file, nor the other way round
 * @throws `not-found`; `internal` when it is no directory.
 */
export async function openExtraction(
  view: FileView,
  path: string,
  keepKinds: boolean,
  signal: AbortSignal,
): Promise<Extraction> {
  await using undo = new AsyncDisposableStack();
  const worker = undo.use(new FileWorker(view, 'extract', [path, keepKinds ? '1' : '0'], signal));
  const ready = await worker.next();
  const resolved = (await worker.body(ready?.length ?? 0)).text();
  let direct: DirectData | undefined;
  let skipping = false;
  undo.defer(() => direct?.file.close());
  const stack = undo.move();
  /** After the worker gave up its last frame says why. */
  const write = async (bytes: Buffer): Promise<void> => {
    await worker.write(bytes);
    if (worker.over) await worker.next();
  };
  const send = async (bytes: Buffer): Promise<void> => {
    await write(frameHead('D', bytes.length));
    await write(bytes);
  };
  return {
    path: resolved,
    add: async (given) => {
      const entry = cleaned(given);
      skipping = entry.name === '';
      if (skipping) {
        // The directory itself stays as it is; in Docker, too.
        if (keepKinds && entry.type !== 'directory') throw internal(notInItsPlace(nameText(resolved)));
        return;
      }
      const much = entry.type === 'file' && entry.size >= MUCH;
      await write(entryFrame(entry, much));
      if (much) direct = await openDirect(worker, entry);
    },
    data: async (bytes) => {
      if (skipping) return;
      if (direct === undefined) return send(bytes);
      await direct.file.write(bytes);
      direct.left -= bytes.length;
      if (direct.left > 0) return;
      await direct.file.end();
      direct = undefined;
      await write(frame('G'));
    },
    finish: async () => {
      await worker.write(frame('Z'));
      while ((await worker.next()) !== undefined);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const notInItsPlace = (directory: string): string =>
  `cannot overwrite directory ${JSON.stringify(directory)} with non-directory ${JSON.stringify(directory)}`;

/** Names are cleaned as text before any link on their way counts, and lead nowhere above the directory. */
function cleaned(entry: TarEntry): TarEntry {
  const clean = (name: string): string => posix.normalize(`/${name}`).replace(/\/$/, '').slice(1);
  const { type, name, linkName } = entry;
  return { ...entry, name: clean(name), linkName: type === 'link' ? clean(linkName) : linkName };
}

/** Undefined where the data must go through the worker for all that: on file systems that may never answer. */
async function openDirect(worker: FileWorker, entry: TarEntry): Promise<DirectData | undefined> {
  const { size, sparse, name } = entry;
  const runs = sparse?.segments ?? [{ offset: 0, length: size }];
  const offer = await worker.next();
  if (offer?.type === 'N') return undefined;
  return {
    file: new RunWriter(await takeFile(worker, offer, 'write'), runs, nameText(name)),
    left: size,
  };
}

/** @param direct the data does not follow: the file is to be offered */
function entryFrame(entry: TarEntry, direct: boolean): Buffer {
  const { type, name, linkName, mode, uid, gid, mtime, devMajor, devMinor, xattrs, sparse } = entry;
  // None means that it is all there, so a file that is one hole has an empty part.
  const segments = sparse?.segments.length === 0 ? [{ offset: sparse.realSize, length: 0 }] : sparse?.segments;
  const runs = (segments ?? []).flatMap(({ offset, length }) => [offset, length]);
  const bits = type === 'link' ? mode : typeBits(type) | mode;
  const size = type === 'file' ? (sparse?.realSize ?? entry.size) : 0;
  return frame(
    type === 'link' ? 'L' : direct ? 'F' : 'E',
    field(name),
    field(linkName),
    uints(bits, uid, gid),
    longs([size, mtime.seconds]),
    uints(mtime.nanos, devMajor, devMinor, runs.length),
    longs(runs),
    ...[...xattrs].flatMap(([key, value]) => [field(key), field(value)]),
  );
}

function uints(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

function longs(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigInt64BE(BigInt(value), 8 * i);
  return bytes;
}
